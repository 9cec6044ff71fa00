/** A thread that does tasks of indexing (see indexing.ts). */
import { workerData } from 'piscina';
import { type IndexingSetup, worker } from './indexing.ts';

export default worker(workerData as IndexingSetup);
