/**
 * Mining hard negatives: rank the collection for every query (or take stored rankings), choose negatives among the ranked documents, write pairs
 * with the provenance of each negative. Finished shards survive a crash, and the result depends on neither shards nor threads.
 */
import { InputError, silentProgress } from '../base/index.ts';
import { datasetOfFolder, type PairRecord, pairLine, runLines } from '../data/index.ts';
import type { Ranked, RankedQuery } from './candidates.ts';
import { type Collection, readCollection } from './collection.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { MineOptions } from './options.ts';
import { EMPTY_TEXT, type Selection, selectNegatives } from './select.ts';
import { checkSettings, type MiningSettings } from './settings.ts';
import { type Shard, ShardFolder } from './shards.ts';
import { type MiningQuery, openSource, type Source } from './source.ts';
import { count, emptyStatistics, type MiningReport, report, type ShardStatistics } from './statistics.ts';

const QUERIES_A_SHARD = 1000;

/** Mines `input` (a BEIR folder or a file of pairs) and writes the pairs to `output`. The same command goes on with unfinished work. */
export async function mine(input: string, output: string, said: MineOptions): Promise<MiningReport> {
  const options = { ...said, removeSelf: said.removeSelf ?? datasetOfFolder(input)?.removeSelf ?? false };
  checkSettings(options.settings);
  refuseContradictions(options);
  const source = await openSource(input, options);
  const shardCount = Math.ceil(source.queries.length / QUERIES_A_SHARD);
  const folder = await ShardFolder.open(`${output}.parts`, await fingerprintOf(input, options), shardCount);
  if ((await folder.next()) < shardCount) {
    const collection = await readCollection(source, folder.path, options);
    try {
      await mineShards(source, collection, folder, options);
    } finally {
      collection.texts.close();
    }
  }
  const result = report(await folder.statistics());
  const refusal = refusalOf(result, options.settings);
  // Candidates are kept even so: with them other settings can be tried without searching again.
  if (options.saveCandidates !== undefined) await folder.join('run', options.saveCandidates);
  if (refusal === undefined) await folder.join('jsonl', output);
  await folder.remove();
  if (refusal !== undefined) throw refusal;
  return result;
}

function refuseContradictions({ candidates, saveCandidates, index }: MineOptions): void {
  if (candidates === undefined) return;
  if (saveCandidates !== undefined)
    throw new InputError('candidates', 'are either taken from a run or saved to one: give one of the two');
  if (index !== undefined)
    throw new InputError('candidates', 'come from a run or from an index: give one of the two');
}

/** Under the policy `error`: what is wrong, if any query is short. */
function refusalOf({ short, queries }: MiningReport, settings: MiningSettings): InputError | undefined {
  if (settings.short !== 'error' || short === 0) return undefined;
  return new InputError(
    'short',
    `${short} of ${queries} queries have fewer than ${settings.negatives} eligible candidates: widen the ranks or limits, or choose what to do with them`,
  );
}

/** A query with its documents as numbers. */
interface NumberedQuery extends RankedQuery {
  readonly query: MiningQuery;
  readonly relevant: readonly number[];
}

async function mineShards(
  source: Source,
  collection: Collection,
  folder: ShardFolder,
  options: MineOptions,
): Promise<void> {
  const { progress = silentProgress, signal } = options;
  const queries = numbered(source, collection, options);
  const writer = new ShardWriter(collection, options);
  const first = await folder.next();
  const remaining = queries.slice(first * QUERIES_A_SHARD);
  const task = progress.start('mine', queries.length, 'queries');
  let done = queries.length - remaining.length;
  for await (const ranked of collection.ranker(remaining)) {
    signal?.throwIfAborted();
    writer.add(queries[done]!, ranked);
    task.update(++done);
    if (done % QUERIES_A_SHARD === 0 || done === queries.length)
      await folder.write(Math.ceil(done / QUERIES_A_SHARD) - 1, writer.take());
  }
  task.finish();
}

/** Documents that judgements name and the collection lacks, or has without text, are no positives; a query must keep one. */
function numbered(source: Source, { ids, texts }: Collection, options: MineOptions): NumberedQuery[] {
  const present = (id: string) => {
    const number = ids.find(id);
    return number >= 0 && texts.textKey(number) !== EMPTY_TEXT ? [number] : [];
  };
  const queries = source.queries.map((query, i) => ({
    id: query.id,
    text: query.text,
    query,
    positives: query.positives.flatMap(present),
    relevant: source.relevant[i]!.map(id => ids.find(id)).filter(number => number >= 0),
    self: options.removeSelf === true ? ids.find(query.id) : -1,
  }));
  const without = queries.filter(({ positives }) => positives.length === 0);
  if (without.length > 0)
    throw new InputError(
      without.slice(0, 50).map(({ id }) => ({
        where: `query '${id}'`,
        message:
          'none of its positives is a document with text in the collection: take the query out, or mend the collection',
      })),
    );
  return queries;
}

/** Collects the lines of one shard at a time. */
class ShardWriter {
  readonly #collection: Collection;
  readonly #options: MineOptions;
  #pairs = '';
  #run = '';
  #statistics: ShardStatistics = emptyStatistics();

  constructor(collection: Collection, options: MineOptions) {
    this.#collection = collection;
    this.#options = options;
  }

  add(query: NumberedQuery, ranked: Ranked): void {
    const { texts, ids, tag, separator } = this.#collection;
    const { settings, saveCandidates } = this.#options;
    const anchor = { id: query.id, relevant: query.relevant, positiveScores: ranked.positiveScores };
    const selection = selectNegatives(anchor, ranked, texts, settings);
    const kept = !(selection.short && settings.short === 'drop');
    count(this.#statistics, selection, ranked, kept);
    if (kept) this.#pairs += pairLine(this.#record(query, ranked, selection));
    if (saveCandidates === undefined) return;
    const hits = Array.from(ranked.documents, (document, i) => ({
      id: ids.at(document),
      score: ranked.scores[i]!,
    }));
    this.#run += runLines(query.id, hits, tag, separator);
  }

  take(): Shard {
    const shard = {
      pairs: this.#pairs,
      run: this.#options.saveCandidates === undefined ? undefined : this.#run,
      statistics: this.#statistics,
    };
    this.#pairs = '';
    this.#run = '';
    this.#statistics = emptyStatistics();
    return shard;
  }

  #record({ query, positives }: NumberedQuery, ranked: Ranked, { negatives }: Selection): PairRecord {
    const { texts, ids } = this.#collection;
    return {
      query_id: query.id,
      query: query.text,
      pos: positives.map(document => texts.text(document)),
      pos_ids: positives.map(document => ids.at(document)),
      pos_scores: ranked.positiveScores,
      neg: negatives.map(({ document }) => texts.text(document)),
      neg_ids: negatives.map(({ document }) => ids.at(document)),
      neg_scores: negatives.map(({ score }) => score),
      neg_ranks: negatives.map(({ rank }) => rank),
      ...(query.prompt !== undefined && { prompt: query.prompt }),
    };
  }
}
