/** The thread that answers batches of queries (see batch.ts). It shares the index with all others. */
import { workerData } from 'piscina';
import type { Prepared } from './prepare.ts';
import { Searcher } from './search.ts';
import { answer, type PackedAnswers, type SearchTask } from './tasks.ts';

const searcher = new Searcher(workerData as Prepared);

export default function run(task: SearchTask): PackedAnswers {
  return answer(searcher, task);
}
