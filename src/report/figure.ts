/** Figures without a browser: a Vega-Lite specification becomes SVG text, and PNG pixels through resvg with a font of its own. */
import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';
import { parse, View } from 'vega';
import { type Config, compile, type TopLevelSpec } from 'vega-lite';
import { InputError, writeFileAtomic } from '../base/index.ts';

const FONT = 'Source Sans 3';
const FONT_STACK = `${FONT}, Helvetica, Arial, sans-serif`;
const FONT_FILES = ['400Regular/SourceSans3_400Regular.ttf', '600SemiBold/SourceSans3_600SemiBold.ttf'];

/** Okabe and Ito's colours: told apart by readers with any kind of colour vision, and in grey print by their lightness. */
export const COLOURS = [
  '#0072B2',
  '#D55E00',
  '#009E73',
  '#CC79A7',
  '#E69F00',
  '#56B4E9',
  '#000000',
  '#999999',
];

/** The house style of every figure: readable at the width of a column of print. */
const STYLE: Config = {
  font: FONT_STACK,
  background: 'white',
  padding: 8,
  view: { stroke: null },
  axis: {
    labelFontSize: 12,
    titleFontSize: 13,
    titleFontWeight: 'normal',
    titlePadding: 8,
    gridColor: '#e6e6e6',
    domainColor: '#555555',
    tickColor: '#555555',
    labelColor: '#222222',
  },
  legend: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    symbolSize: 70,
    labelLimit: 300,
  },
  title: {
    fontSize: 14,
    fontWeight: 600,
    anchor: 'start',
    subtitleFontSize: 12,
    subtitleColor: '#444444',
    offset: 12,
  },
  range: { category: COLOURS },
};

/** SVG text of a specification. Data must be inline: nothing is fetched. */
export async function renderSvg(spec: TopLevelSpec): Promise<string> {
  const compiled = compile(spec, { config: STYLE }).spec;
  const view = new View(parse(compiled), { renderer: 'none', loader: offline });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** A loader that loads nothing. */
const offline = {
  load: refuse,
  sanitize: refuse,
  http: refuse,
  file: refuse,
};

async function refuse(uri: string): Promise<never> {
  throw new InputError(uri, 'a figure must carry its data with it');
}

/** PNG bytes of an SVG, `scale` pixels a unit. The same bytes on every machine: only the packaged font is used. */
export function renderPng(svg: string, scale = 2): Uint8Array {
  const { resolve } = createRequire(import.meta.url);
  const fontFiles = FONT_FILES.map(file => resolve(`@expo-google-fonts/source-sans-3/${file}`));
  const resvg = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: { fontFiles, loadSystemFonts: false, defaultFontFamily: FONT },
  });
  return resvg.render().asPng();
}

/** Draws to `path`, whose ending decides: `.svg`, `.png`, or `.json` for the specification itself. */
export async function writeFigure(spec: TopLevelSpec, path: string): Promise<void> {
  if (path.endsWith('.json')) return writeFileAtomic(path, `${JSON.stringify(spec, null, 2)}\n`);
  if (!path.endsWith('.svg') && !path.endsWith('.png'))
    throw new InputError(path, 'a figure ends in .svg, .png or .json (the Vega-Lite specification)');
  const svg = await renderSvg(spec);
  await writeFileAtomic(path, path.endsWith('.png') ? renderPng(svg) : `${svg}\n`);
}
