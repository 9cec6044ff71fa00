/**
 * BM25 on real collections, beside bm25s and published figures:
 *
 *     ISOFLOP_DATA=DIR node build/bench/bm25Parity.js [--python PYTHON]
 *
 * For SciFact, Vaswani (NPL) and CACM: nDCG@10, R@100, AP and P@30 with Lucene's analyzer; and for each variant the largest difference of any score
 * (every query, every document) from bm25s' on the tokens of that analyzer.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  analyze,
  analyzerNamed,
  type Bm25Index,
  buildIndex,
  documentId,
  documentsOf,
  parametersOf,
  prepare,
  searchBatch,
  VARIANTS,
  type Variant,
} from '#src/bm25/index.js';
import {
  judgedQueries,
  type Qrels,
  type Queries,
  RunBuilder,
  readQrels,
  readQueries,
} from '#src/data/index.js';
import { evaluate, parseMeasures } from '#src/metrics/index.js';

const { values: options } = parseArgs({
  options: { python: { type: 'string', default: process.env['ISOFLOP_PYTHON'] ?? 'python3' } },
});
const data = process.env['ISOFLOP_DATA'];
if (data === undefined) throw new Error('set ISOFLOP_DATA to the folder of collections');
const peer = fileURLToPath(new URL('../../bench/peers/bm25s_scores.py', import.meta.url));

/** Lucene's BM25 on SciFact (Anserini's regressions); other analyzers, so a hint only, on the other two. */
const PUBLISHED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  scifact: { 'nDCG@10': 0.6789, 'R@100': 0.9253 },
  'classic/npl': { AP: 0.2877, 'nDCG@10': 0.4412 },
  'classic/cacm': { AP: 0.3123, 'P@30': 0.1942 },
};
const MEASURES = parseMeasures(['nDCG@10', 'R@100', 'AP', 'P@30']);
const DEPTH = 1000;

async function measured(index: Bm25Index, queries: Queries, qrels: Qrels): Promise<Record<string, number>> {
  const run = new RunBuilder('bm25');
  const wanted = queries.texts.map(text => ({ text }));
  for await (const { query, documents, scores } of searchBatch(
    prepare(index, parametersOf()),
    wanted,
    DEPTH,
  )) {
    const ids = Array.from(documents, document => documentId(index, document));
    run.addRanking(queries.ids[query]!, ids, scores);
  }
  const { measures, values } = evaluate(qrels, run.build(), MEASURES);
  const mean = (column: ArrayLike<number>) => Array.from(column).reduce((a, b) => a + b, 0) / column.length;
  return Object.fromEntries(measures.map(({ name }, m) => [name, mean(values[m]!)]));
}

/** For each variant the scores of bm25s, query by query, document by document. */
function peerScores(
  documents: readonly string[][],
  queries: readonly string[][],
  variants: readonly Variant[],
) {
  const folder = mkdtempSync(join(tmpdir(), 'isoflop-bench-bm25-'));
  try {
    const parameters = variants.map(variant => {
      const { k1, b, delta } = parametersOf({ variant });
      return { variant, k1, b, delta };
    });
    const [tokens, out] = [join(folder, 'tokens.json'), join(folder, 'scores.f64')];
    writeFileSync(tokens, JSON.stringify({ documents, queries, parameters }));
    execFileSync(options.python, [peer, 'score', tokens, out], { stdio: ['ignore', 'ignore', 'inherit'] });
    const bytes = readFileSync(out);
    const all = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
    const size = documents.length * queries.length;
    return variants.map((_, i) => all.subarray(i * size, (i + 1) * size));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function largestDifference(
  index: Bm25Index,
  queries: readonly string[],
  variant: Variant,
  theirs: Float64Array,
): Promise<number> {
  const parameters = parametersOf({ variant, lengths: 'exact' });
  const also = Array.from({ length: index.documents }, (_, document) => document);
  const wanted = queries.map(text => ({ text, also }));
  let largest = 0;
  for await (const answer of searchBatch(prepare(index, parameters), wanted, 1))
    for (const document of also) {
      const their = theirs[answer.query * index.documents + document]!;
      largest = Math.max(largest, Math.abs(answer.also[document]! - their));
    }
  return largest;
}

for (const [name, published] of Object.entries(PUBLISHED)) {
  const folder = join(data, name);
  const index = await buildIndex(documentsOf(folder), { analyzer: 'english' });
  const qrels = await readQrels(folder, 'test');
  const queries = judgedQueries(await readQueries(folder, 'test'), qrels, folder);
  console.log(
    JSON.stringify({ collection: name, measured: await measured(index, queries, qrels), published }),
  );
  const english = analyzerNamed('english');
  const documents: string[][] = [];
  for await (const { texts } of documentsOf(folder))
    for (const text of texts) documents.push(analyze(english, text));
  const theirs = peerScores(
    documents,
    queries.texts.map(text => analyze(english, text)),
    VARIANTS,
  );
  for (const [i, variant] of VARIANTS.entries()) {
    const difference = await largestDifference(index, queries.texts, variant, theirs[i]!);
    console.log(JSON.stringify({ collection: name, variant, largestDifferenceFromBm25s: difference }));
  }
}
