/**
 * Exact search of 100,000 vectors of 384 numbers, top 100, in turn with NumPy's matmul and argpartition on the same vectors and threads:
 *
 *     ISOFLOP_PYTHON=... node build/bench/exact-search.js [--documents 100000] [--queries 256] [--threads 1] [--rounds 7]
 *
 * Ours includes what a search starts with: putting ids in order, compiling the graph. NumPy's ids are places, which cost nothing.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Rng } from '#src/base/index.js';
import { exactSearch } from '#src/dense/index.js';
import { median } from '#src/stats/index.js';
import { JsonPeer } from './json-peer.ts';

const { values: options } = parseArgs({
  options: {
    documents: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '256' },
    dimension: { type: 'string', default: '384' },
    k: { type: 'string', default: '100' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '7' },
  },
});
const [documents, queries, dimension, k, threads, rounds] = [
  Number(options.documents),
  Number(options.queries),
  Number(options.dimension),
  Number(options.k),
  Number(options.threads),
  Number(options.rounds),
];
const BATCH = 128; // queries whose scores are held at a time, on both sides

function unitVectors(count: number, use: string): Float32Array {
  const rng = Rng.from(17, use);
  const vectors = Float32Array.from({ length: count * dimension }, () => rng.normal());
  for (let row = 0; row < vectors.length; row += dimension) {
    const own = vectors.subarray(row, row + dimension);
    const norm = Math.hypot(...own);
    for (let i = 0; i < dimension; i++) own[i]! /= norm;
  }
  return vectors;
}

const folder = mkdtempSync(join(tmpdir(), 'isoflop-bench-search-'));
const [corpus, asked] = [unitVectors(documents, 'documents'), unitVectors(queries, 'queries')];
const ids = Array.from({ length: documents }, (_, i) => `doc${i}`);
const queryIds = Array.from({ length: queries }, (_, i) => `q${i}`);
const files = { documents: join(folder, 'documents.f32'), queries: join(folder, 'queries.f32') };
writeFileSync(files.documents, corpus);
writeFileSync(files.queries, asked);
const peer = JsonPeer.start('numpy_search.py', threads);
try {
  const { ready } = await peer.ask({ open: { ...files, dimension, batch: BATCH } });
  const [ours, theirs]: [number[], number[]] = [[], []];
  let agreement = 1;
  for (let round = 0; round <= rounds; round++) {
    const began = performance.now();
    const found = await exactSearch({ ids: queryIds, vectors: asked }, [{ ids, vectors: corpus }], {
      k,
      threads,
    });
    const seconds = (performance.now() - began) / 1000;
    const answer = await peer.ask({ search: k });
    const best = answer['best'] as number[][];
    const equal = best.flatMap((row, q) => row.map((place, i) => found[q]![i]!.id === ids[place]));
    agreement = Math.min(agreement, equal.filter(Boolean).length / equal.length);
    if (round === 0) continue; // the first round warms both up
    ours.push(seconds);
    theirs.push(Number(answer['seconds']));
  }
  const flops = 2 * queries * documents * dimension;
  console.log(
    JSON.stringify({
      ...{ bench: 'exact-search', documents, queries, dimension, k, threads, numpy: ready },
      isoflopSeconds: median(ours),
      numpySeconds: median(theirs),
      isoflopQueriesPerSecond: queries / median(ours),
      numpyQueriesPerSecond: queries / median(theirs),
      isoflopGflops: flops / median(ours) / 1e9,
      timesFaster: median(theirs.map((seconds, i) => seconds / ours[i]!)),
      samePlaces: agreement,
    }),
  );
} finally {
  await peer.close();
  rmSync(folder, { recursive: true });
}
