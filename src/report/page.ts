/** The page of a study's report: what was found, its figures, its tables, and where every number comes from. */
import { createHash } from 'node:crypto';
import { conventionText } from './axes.ts';
import { Html, html, scriptCode, scriptJson } from './html.ts';
import { correlationText, holdoutText, lawText, overlapSentence, percentText } from './numbers.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';
import type { Provenance } from './provenance.ts';
import { provenanceSection, StepLinks } from './provenance-section.ts';
import type { StudyResults } from './results.ts';
import type { Figure } from './study-figures.ts';
import type { Cell, StudyTable } from './table-fields.ts';

/** A figure drawn for the page: SVG to begin with, and what Vega makes it live from. */
export interface PageFigure extends Omit<Figure, 'spec'> {
  readonly svg: string;
  readonly vega: unknown;
}

export interface PageParts {
  readonly results: StudyResults;
  readonly provenance: Provenance;
  readonly figures: readonly PageFigure[];
  readonly tables: readonly StudyTable[];
  /** Vega's own code, which the page carries. */
  readonly runtime: string;
  /** Of `results.json`, and the version of the report's code. */
  readonly resultsHash: string;
  readonly renderer: number;
}

export function pageText(parts: PageParts): string {
  const { results, provenance, figures, tables } = parts;
  const links = new StepLinks(provenance);
  const code = figures.length > 0 ? [scriptCode(parts.runtime), scriptCode(PAGE_SCRIPT)] : [];
  const body = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policyOf(code)}">
<title>${results.title}</title>
<style>${new Html(PAGE_STYLE)}</style>
</head>
<body>
<header>
<h1>${results.title}</h1>
<p class="lead">${results.description}</p>
${figures.slice(0, 1).map(figure => figureBlock(figure, 1))}
${findings(results)}
${contents(figures, tables)}
</header>
<main>
${list('caveats', 'Before quoting these numbers', results.caveats)}
<h2 id="figures">Figures</h2>
${figures.slice(1).map((figure, i) => figureBlock(figure, i + 2))}
<h2 id="tables">Tables</h2>
<p class="note">${tableNote(results)}</p>
${tables.map(table => tableBlock(table, links))}
${list('deviations', 'Differences from the paper (arXiv 2508.17400)', results.deviations)}
${provenanceSection(provenance, links)}
</main>
<footer class="quiet">
<p>Study ${results.study}. Files: <a href="results.json">results.json</a> (SHA-256 <code>${parts.resultsHash}</code>),
<a href="tables/points.csv">tables/points.csv</a> with one row a checkpoint, every table under <code>tables/</code>, every figure as SVG and PNG under <code>figures/</code>.
Made by isoflop's report, version ${parts.renderer}.</p>
</footer>
${code.map(script => html`<script>${script}</script>\n`)}</body>
</html>
`;
  return body.text;
}

/** Only this page's own code may run, and nothing may be fetched. Vega compiles its expressions, hence 'unsafe-eval'. */
function policyOf(scripts: readonly Html[]): string {
  const hashes = scripts.map(
    ({ text }) => `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`,
  );
  const allowed = hashes.length > 0 ? `${hashes.join(' ')} 'unsafe-eval'` : "'none'";
  return `default-src 'none'; style-src 'unsafe-inline'; script-src ${allowed}; base-uri 'none'; form-action 'none'`;
}

/** The law, how well it foretold the largest model, the trend, and whether the models had read the test: the study in a few sentences. */
function findings(results: StudyResults): Html {
  const { fits, trends, level } = results;
  const overlap = overlapSentence(results);
  const [law] = fits;
  const held = law && holdoutText(law);
  const lines = [
    ...(law
      ? [
          `Law of ${targetText(law.target)} against FLOPs (${conventionText(law.convention)}): ${lawText(law)}`,
        ]
      : []),
    ...(held ? [held] : []),
    ...trends.map(
      ({ convention, n, spearman }) =>
        `Spearman correlation of FLOPs (${conventionText(convention)}) and mean nDCG@10 over ${n} checkpoints: ${correlationText({ ...spearman, bootstrap: null })}.`,
    ),
    ...(overlap === undefined ? [] : [overlap]),
  ];
  if (lines.length === 0) return html``;
  return html`<div class="findings"><p>Measured; in brackets ${percentText(level)} intervals</p>${lines.map(line => html`<p>${line}</p>`)}</div>`;
}

function targetText(target: string): string {
  return target === 'mean'
    ? 'mean nDCG@10'
    : target === 'heldOutLoss'
      ? 'held-out loss'
      : `nDCG@10 on ${target}`;
}

function contents(figures: readonly PageFigure[], tables: readonly StudyTable[]): Html {
  const link = (id: string, title: string) => html`<li><a href="#${id}">${title}</a></li>`;
  return html`<nav aria-label="Contents"><ul>
${figures.map(({ id, title }) => link(`figure-${id}`, title))}
${tables.map(({ id, title }) => link(`table-${id}`, `Table: ${title}`))}
${link('provenance', 'Provenance')}
</ul></nav>`;
}

function list(id: string, title: string, items: readonly string[]): Html {
  if (items.length === 0) return html``;
  return html`<h2 id="${id}">${title}</h2><ul>${items.map(item => html`<li>${item}</li>`)}</ul>`;
}

function figureBlock({ id, title, caption, alt, svg, vega }: PageFigure, number: number): Html {
  return html`<figure id="figure-${id}">
<div class="drawing" id="drawing-${id}" role="img" aria-label="${`${title}. ${alt}`}">${new Html(svg)}</div>
<script type="application/json" id="drawing-${id}-spec">${scriptJson(vega)}</script>
<figcaption><strong>Figure ${number}. ${title}.</strong> ${caption} <span class="quiet">(<a href="figures/${id}.svg">SVG</a>, <a href="figures/${id}.png">PNG</a>)</span></figcaption>
</figure>
`;
}

function tableNote({ level }: StudyResults): string {
  return `In brackets ${percentText(level)} intervals. Each table is also a CSV file with all digits. A dash means not measured. The last column of a table leads to the steps that made its numbers, and these to what they read.`;
}

function tableBlock({ id, title, note, columns, rows }: StudyTable, links: StepLinks): Html {
  const head = columns.map(
    ({ label, numeric }) => html`<th scope="col" class="${numeric ? 'number' : 'words'}">${label}</th>`,
  );
  const body = rows.map(
    row => html`<tr>${row.map((cell, i) => cellBlock(cell, i === 0, columns[i]!.numeric, links))}</tr>\n`,
  );
  return html`<section>
<h3 id="table-${id}">${title} <span class="quiet">(<a href="tables/${id}.csv">CSV</a>)</span></h3>
${note === undefined ? undefined : html`<p class="note">${note}</p>`}
<div class="scroll" role="region" aria-labelledby="table-${id}" tabindex="0"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody>
</table></div>
</section>
`;
}

/** The first cell names its row; a cell with steps leads to them; an interval stands below its number. */
function cellBlock({ text, steps }: Cell, first: boolean, numeric: boolean, links: StepLinks): Html {
  if (first) return html`<th scope="row">${text}</th>`;
  if (steps !== undefined) return html`<td class="words">${links.to(steps)}</td>`;
  if (!numeric) return html`<td class="words">${text}</td>`;
  const [value, interval] = text.split(/ (?=\()/, 2);
  return html`<td class="number">${value}${interval === undefined ? '' : html` <span class="interval">${interval}</span>`}</td>`;
}
