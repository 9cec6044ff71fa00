/** A made-up provenance that fits the made-up results. */
import { sha256 } from '../../base/index.ts';
import type { Provenance } from '../provenance.ts';

/** A corpus, and the step that gathered the results; `marker` goes into every text. */
export function exampleProvenance(marker = ''): Provenance {
  const text = { name: 'text.jsonl', sha256: sha256('text') };
  return {
    study: 'example',
    steps: [
      {
        step: `corpus${marker}`,
        kind: `wordnet${marker}`,
        version: 1,
        identity: sha256('corpus'),
        params: { [`seed${marker}`]: `17${marker}` },
        inputs: [{ role: 'words', name: `data.noun${marker}`, sha256: sha256('words'), from: [] }],
        outputs: [{ ...text, holds: `text${marker}`, bytes: 1200 }],
      },
      {
        step: 'results',
        kind: 'gather',
        version: 3,
        identity: sha256('results'),
        params: { level: 0.95 },
        inputs: [{ role: 'text', ...text, from: [`corpus${marker}`] }],
        outputs: [
          { name: 'results.json', holds: 'study-results', sha256: sha256('results.json'), bytes: 9000 },
        ],
      },
    ],
  };
}
