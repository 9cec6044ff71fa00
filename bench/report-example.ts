/** Renders made-up results, to look at: `node build/bench/report-example.js FOLDER`. Prints how long it took, as a JSON line. */
import { renderReport } from '#src/report/index.js';
import { exampleProvenance } from '#src/report/testing/provenance.js';
import { exampleResults } from '#src/report/testing/results.js';

const folder = process.argv[2] ?? 'reports/example';
const results = exampleResults();
const began = performance.now();
const { files } = await renderReport(results, exampleProvenance(), folder);
const bytes = Object.values(files).reduce((sum, size) => sum + size, 0);
console.log(
  JSON.stringify({ folder, files: Object.keys(files).length, bytes, ms: performance.now() - began }),
);
