/** The data of the study in a few lines. */
import { textTable } from '../../../base/index.ts';
import type { WordnetStudyManifest } from './build.ts';

export function wordnetStudyText(folder: string, manifest: WordnetStudyManifest): string {
  const { synsets, pretraining, collections, pairs, icl } = manifest;
  const rows = Object.entries(collections).flatMap(([name, { documents, queries, judgements }]) =>
    Object.entries(queries).map(([split, count]) => [
      name,
      split,
      String(documents),
      String(count),
      String(judgements[split]),
    ]),
  );
  const items = Object.entries(icl).map(([label, count]) => [label, String(count)]);
  return `${folder}: ${manifest.source}, seed ${manifest.options.seed}
${synsets.train} training and ${synsets.test} test synsets; ${pretraining.documents} documents to pretrain on, ${pretraining.bytes} bytes
${pairs['train']} training and ${pairs['dev']} validation pairs

${textTable(['collection', 'split', 'documents', 'queries', 'judgements'], rows)}
${textTable(['in-context task', 'items'], items)}`;
}
