import { Collector as TopK } from './collector.ts';
import { analyze, analyzerNamed } from './analyzer.ts';
import { LARGE_TF } from './bags.ts';
import type { Bm25Index } from './build.ts';
import { longListFrom, type Part, WINDOW, WINDOW_BITS, windowCount } from './postings.ts';
import { absentPart, type Bm25Parameters, GRID, idf, luceneLength, presentPart, toGrid } from './scoring.ts';
import { find } from './strings.ts';

const TABLE_TF = 16;

class List {
  docs: Uint16Array = EMPTY16;
  tfs: Uint8Array = EMPTY8;
  tfOffset = 0;
  starts: Uint32Array = EMPTY32;
  row = 0;
  weight = 0; // idf
  times = 1;
  bounds: Float64Array = EMPTY64; // per window max part
  max = 0;
  df = 0;
  ub = 0;
  n = 0;
}
const EMPTY16 = new Uint16Array();
const EMPTY8 = new Uint8Array();
const EMPTY32 = new Uint32Array();
const EMPTY64 = new Float64Array();

export const stats = { acc: 0, cand: 0, probes: 0, windows: 0, pushes: 0, setup: 0 };

export class Searcher {
  readonly index: Bm25Index;
  readonly parameters: Bm25Parameters;
  readonly classOf: Uint16Array;
  readonly classes: number;
  readonly table: Float64Array;
  readonly relative: Float64Array;
  readonly acc = new Float64Array(WINDOW);
  readonly windows: number;
  readonly boundsOf = new Map<number, Float64Array>();
  readonly docOfRank: Uint32Array;
  candDocs = new Uint16Array(WINDOW);
  candScores = new Float64Array(WINDOW);
  readonly analyzer;

  constructor(index: Bm25Index, parameters: Bm25Parameters) {
    this.index = index;
    this.parameters = parameters;
    this.analyzer = analyzerNamed(index.analyzer);
    this.windows = windowCount(index.documents);
    const { lengths, documents, tokens } = index;
    const quant = parameters.lengths === 'lucene';
    const distinct = [...new Set(lengths)].map(l => (quant ? luceneLength(l) : l));
    const values = [...new Set(distinct)].sort((a, b) => a - b);
    const of = new Map(values.map((v, i) => [v, i]));
    this.classOf = new Uint16Array(documents);
    for (let i = 0; i < documents; i++) this.classOf[i] = of.get(quant ? luceneLength(lengths[i]!) : lengths[i]!)!;
    this.classes = values.length;
    const mean = tokens / documents;
    this.relative = Float64Array.from(values, v => v / mean);
    this.table = new Float64Array(TABLE_TF * values.length);
    for (let tf = 1; tf < TABLE_TF; tf++)
      for (let c = 0; c < values.length; c++)
        this.table[tf * values.length + c] = presentPart(parameters, tf, this.relative[c]!);
    this.docOfRank = new Uint32Array(documents);
    for (let i = 0; i < documents; i++) this.docOfRank[index.idRanks[i]!] = i;
  }

  partOf(term: number): Part {
    let p = 0;
    while (term >= this.index.partEnds[p]!) p++;
    return this.index.parts[p]!;
  }

  list(term: number, times: number): List {
    const { index } = this;
    const part = this.partOf(term);
    const list = new List();
    const df = index.df[term]!;
    list.df = df;
    list.weight = idf(this.parameters.variant, df, index.documents);
    list.times = times;
    const start = index.starts[term]!;
    if (df >= longListFrom(index.documents)) {
      list.docs = part.longDocs;
      list.tfs = part.tfs;
      list.tfOffset = part.shortDocs.length;
      list.starts = part.windowStarts;
      list.row = start * (this.windows + 1);
      let bounds = this.boundsOf.get(term);
      if (bounds === undefined) {
        bounds = this.computeBounds(list);
        this.boundsOf.set(term, bounds);
      }
      list.bounds = bounds;
    } else {
      list.docs = new Uint16Array(df);
      list.tfs = part.tfs.subarray(start, start + df);
      list.starts = new Uint32Array(this.windows + 1);
      let w = 0;
      for (let i = 0; i < df; i++) {
        const d = part.shortDocs[start + i]!;
        while (w <= d >>> WINDOW_BITS) list.starts[w++] = i;
        list.docs[i] = d & (WINDOW - 1);
      }
      while (w <= this.windows) list.starts[w++] = df;
      list.bounds = this.computeBounds(list);
    }
    let max = 0;
    for (const b of list.bounds) if (b > max) max = b;
    list.max = list.times * toGrid(list.weight * max);
    return list;
  }

  computeBounds(list: List): Float64Array {
    const bounds = new Float64Array(this.windows);
    const { docs, tfs, tfOffset, starts, row } = list;
    const { classOf, table, classes } = this;
    for (let w = 0; w < this.windows; w++) {
      let max = 0;
      const base = w << WINDOW_BITS;
      for (let i = starts[row + w]!; i < starts[row + w + 1]!; i++) {
        const tf = tfs[tfOffset + i]!;
        const c = classOf[base + docs[i]!]!;
        const part = tf < TABLE_TF ? table[tf * classes + c]! : presentPart(this.parameters, tf, this.relative[c]!);
        if (part > max) max = part;
      }
      bounds[w] = max;
    }
    return bounds;
  }

  search(query: string, k: number, top = new TopK(k)) {
    const counts = new Map<number, number>();
    for (const term of analyze(this.analyzer, query)) {
      const t = find(this.index.terms, term);
      if (t >= 0) counts.set(t, (counts.get(t) ?? 0) + 1);
    }
    const t0 = performance.now();
    const lists = [...counts].map(([t, times]) => this.list(t, times)).filter(l => l.weight > 0);
    lists.sort((a, b) => a.max - b.max);
    stats.setup += performance.now() - t0;
    for (let w = 0; w < this.windows; w++) this.window(lists, w, top);
    return top.drain();
  }

  window(lists: List[], w: number, top: TopK): void {
    const theta = top.threshold;
    const m = lists.length;
    for (let i = 0; i < m; i++) {
      const list = lists[i]!;
      list.n = list.starts[list.row + w + 1]! - list.starts[list.row + w]!;
      list.ub = list.times * (list.weight * list.bounds[w]! + GRID - GRID);
    }
    let first = 0;
    let rest = 0;
    while (first < m && rest + lists[first]!.ub < theta) rest += lists[first++]!.ub;
    if (first === m) return;
    stats.windows++;
    const { acc, candDocs } = this;
    const base = w << WINDOW_BITS;
    let n = 0;
    for (let i = first; i < m; i++) if (lists[i]!.n > 0) n = this.accumulate(lists[i]!, w, base, n);
    stats.cand += n;
    let least = theta - rest;
    if (first > 0) n = this.prune(n, least);
    for (let i = first - 1; i >= 0 && n > 0; i--) {
      const list = lists[i]!;
      if (list.n === 0) continue;
      rest -= list.ub;
      least = theta - rest;
      if (n * 30 < list.n) this.probe(list, w, base, n);
      else this.update(list, w, base);
      n = this.prune(n, least);
    }
    this.offer(n, base, top);
    void acc; void candDocs;
  }

  offer(n: number, base: number, top: TopK) {
    const { candDocs, acc } = this;
    const ranks = this.index.idRanks;
    let theta = top.threshold;
    for (let i = 0; i < n; i++) {
      const d = candDocs[i]!;
      const s = acc[d]!;
      acc[d] = 0;
      if (s < theta) continue;
      stats.pushes++;
      top.push(s, ranks[base + d]!);
      theta = top.threshold;
    }
  }

  prune(n: number, least: number): number {
    const { candDocs, acc } = this;
    let kept = 0;
    for (let i = 0; i < n; i++) {
      const d = candDocs[i]!;
      if (acc[d]! >= least) candDocs[kept++] = d;
      else acc[d] = 0;
    }
    return kept;
  }

  update(list: List, w: number, base: number): void {
    const { acc, classOf, table, classes } = this;
    const { docs, tfs, tfOffset, starts, row, weight, times } = list;
    const end = starts[row + w + 1]!;
    stats.acc += list.n;
    for (let i = starts[row + w]!; i < end; i++) {
      const d = docs[i]!;
      const s = acc[d]!;
      if (s === 0) continue;
      const tf = tfs[tfOffset + i]!;
      const c = classOf[base + d]!;
      const part = tf < TABLE_TF ? table[tf * classes + c]! : presentPart(this.parameters, tf, this.relative[c]!);
      acc[d] = s + times * (weight * part + GRID - GRID);
    }
  }

  probe(list: List, w: number, base: number, n: number): void {
    const { candDocs, acc, classOf, table, classes } = this;
    const { docs, tfs, tfOffset, starts, row, weight, times } = list;
    const from = starts[row + w]!;
    const end = starts[row + w + 1]!;
    stats.probes += n;
    let lo = from;
    let last = -1;
    for (let i = 0; i < n; i++) {
      const d = candDocs[i]!;
      if (d < last) lo = from;
      last = d;
      let hi = end;
      let step = 8;
      while (lo + step < end && docs[lo + step]! < d) {
        lo += step;
        step <<= 1;
      }
      if (lo + step < hi) hi = lo + step + 1;
      while (lo < hi) {
        const mid = (lo + hi) >>> 1;
        if (docs[mid]! < d) lo = mid + 1;
        else hi = mid;
      }
      if (lo < end && docs[lo] === d) {
        const tf = tfs[tfOffset + lo]!;
        const c = classOf[base + d]!;
        const part = tf < TABLE_TF ? table[tf * classes + c]! : presentPart(this.parameters, tf === LARGE_TF ? 255 : tf, this.relative[c]!);
        acc[d]! += times * (weight * part + GRID - GRID);
      }
    }
  }

  accumulate(list: List, w: number, base: number, touched: number): number {
    const { acc, classOf, table, classes, candDocs } = this;
    const { docs, tfs, tfOffset, starts, row, weight, times } = list;
    const end = starts[row + w + 1]!;
    stats.acc += list.n;
    let n = touched;
    for (let i = starts[row + w]!; i < end; i++) {
      const d = docs[i]!;
      const tf = tfs[tfOffset + i]!;
      const c = classOf[base + d]!;
      const part = tf < TABLE_TF ? table[tf * classes + c]! : presentPart(this.parameters, tf, this.relative[c]!);
      const s = acc[d]!;
      if (s === 0) candDocs[n++] = d;
      acc[d] = s + times * (weight * part + GRID - GRID);
    }
    return n;
  }

  base(query: string): number {
    let sum = 0;
    for (const term of analyze(this.analyzer, query)) {
      const t = find(this.index.terms, term);
      if (t >= 0) sum += toGrid(absentPart(this.parameters) * idf(this.parameters.variant, this.index.df[t]!, this.index.documents));
    }
    return sum;
  }
}
