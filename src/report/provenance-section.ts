/** The part of the page to which every number leads: each step by itself, linked to those whose outputs it read. */
import { prettyJson } from '../base/index.ts';
import { type Html, html } from './html.ts';
import { type Provenance, type ProvenanceInput, type ProvenanceStep, RESULTS_TYPE } from './provenance.ts';

/** Anchors of the steps. A step that is not known is named without a link. */
export class StepLinks {
  readonly #anchors: ReadonlyMap<string, string>;
  readonly #gathering: readonly string[];

  constructor({ steps }: Provenance) {
    this.#anchors = new Map(steps.map(({ step }, i) => [step, `step-${i + 1}`]));
    this.#gathering = steps
      .filter(({ outputs }) => outputs.some(({ holds }) => holds === RESULTS_TYPE))
      .map(({ step }) => step);
  }

  anchor(step: string): string | undefined {
    return this.#anchors.get(step);
  }

  /** Links to these steps, or, where none are named, to the one that gathered all results. */
  to(steps: readonly string[]): Html {
    const named = steps.length > 0 ? steps : this.#gathering;
    return html`${named.map((step, i) => html`${i > 0 ? ', ' : ''}${this.#link(step)}`)}`;
  }

  #link(step: string): Html {
    const anchor = this.anchor(step);
    return anchor === undefined ? html`${step}` : html`<a href="#${anchor}">${step}</a>`;
  }
}

export function provenanceSection({ steps }: Provenance, links: StepLinks): Html {
  return html`<h2 id="provenance">Provenance</h2>
<p class="note">Every step of the study, after the steps it depends on. A step's identity is the SHA-256 of its kind, version, parameters and the content of its inputs;
equal identities have equal outputs, byte for byte. Also as <a href="tables/provenance.csv">CSV</a>.</p>
${steps.length === 0 ? html`<p>The steps that made these results are not known.</p>` : undefined}
${steps.map(step => stepBlock(step, links))}`;
}

function stepBlock(step: ProvenanceStep, links: StepLinks): Html {
  const { kind, version, identity, params, inputs, outputs } = step;
  return html`<section class="step" id="${links.anchor(step.step)}">
<h3>${step.step}</h3>
<dl>
<dt>kind</dt><dd>${kind}, version ${version}</dd>
<dt>identity</dt><dd><code>${identity}</code></dd>
<dt>parameters</dt><dd><pre>${prettyJson(params).trimEnd()}</pre></dd>
${inputs.map(input => inputBlock(input, links))}
${outputs.map(({ name, holds, sha256, bytes }) => html`<dt>made</dt><dd>${name} (${holds}, ${bytes} bytes): <code>${sha256}</code></dd>\n`)}</dl>
</section>
`;
}

function inputBlock({ role, name, sha256, from }: ProvenanceInput, links: StepLinks): Html {
  const origin = from.length > 0 ? html`from ${links.to(from)}` : html`from outside the study`;
  return html`<dt>read</dt><dd>${role}: ${name}, ${origin}: <code>${sha256}</code></dd>\n`;
}
