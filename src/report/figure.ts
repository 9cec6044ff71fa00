/** Figures without a browser: a Vega-Lite specification becomes SVG text, and PNG pixels through resvg with a font of its own. */
import { createRequire } from 'node:module';
import type { Spec } from 'vega';
import type { Config, TopLevelSpec } from 'vega-lite';
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

/** The neutral colours of a figure. Marks whose colour says nothing take them from here. */
export interface Theme {
  readonly ink: string;
  readonly soft: string;
  readonly grid: string;
  readonly paper: string;
}

/** On white, for files and print. */
export const PRINT: Theme = { ink: '#222222', soft: '#555555', grid: '#e6e6e6', paper: 'white' };

/** On a page with `PAGE_STYLE`: colours that follow its scheme. */
export const SCREEN: Theme = {
  ink: 'currentColor',
  soft: 'var(--soft)',
  grid: 'var(--grid)',
  paper: 'var(--paper)',
};

/** The house style of every figure: readable at the width of a column of print. */
function styleOf({ ink, soft, grid, paper }: Theme): Config {
  return {
    font: FONT_STACK,
    background: paper,
    padding: 8,
    view: { stroke: null },
    axis: {
      labelFontSize: 12,
      titleFontSize: 13,
      titleFontWeight: 'normal',
      titlePadding: 8,
      gridColor: grid,
      domainColor: soft,
      tickColor: soft,
      labelColor: ink,
      titleColor: ink,
    },
    legend: {
      labelFontSize: 12,
      titleFontSize: 12,
      titleFontWeight: 'normal',
      symbolSize: 70,
      labelLimit: 300,
      labelColor: ink,
      titleColor: ink,
    },
    title: {
      color: ink,
      fontSize: 14,
      fontWeight: 600,
      anchor: 'start',
      subtitleFontSize: 12,
      subtitleColor: soft,
      offset: 12,
    },
    range: { category: COLOURS },
  };
}

/** The Vega specification of a Vega-Lite one, in the house style. */
export async function compileFigure(spec: TopLevelSpec, theme: Theme = PRINT): Promise<Spec> {
  const { compile } = await import('vega-lite');
  return compile(spec, { config: styleOf(theme) }).spec;
}

/** SVG text of a specification. Data must be inline: nothing is fetched. Equal specifications give equal text. */
export async function renderSvg(spec: TopLevelSpec, theme: Theme = PRINT): Promise<string> {
  return drawSvg(await compileFigure(spec, theme));
}

/** SVG text of a compiled specification. */
export async function drawSvg(compiled: Spec): Promise<string> {
  const { parse, resetSVGDefIds, View } = await import('vega');
  const view = new View(parse(compiled), { renderer: 'none', loader: offline });
  try {
    await view.runAsync();
    resetSVGDefIds(); // ids of clips and gradients otherwise go on counting from one figure to the next
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
  const require = createRequire(import.meta.url);
  const { Resvg } = require('@resvg/resvg-js') as typeof import('@resvg/resvg-js'); // here, since few commands draw
  const fontFiles = FONT_FILES.map(file => require.resolve(`@expo-google-fonts/source-sans-3/${file}`));
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
