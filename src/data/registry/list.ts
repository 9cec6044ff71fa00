/** The registry for people and for `--json`. */
import { compact, exists, textTable } from '../../base/index.ts';
import { datasetFolder } from './cache.ts';
import { DATASETS, type SplitCounts } from './datasets.ts';

export interface ListedDataset {
  readonly name: string;
  readonly task: string;
  readonly split: string;
  readonly splits: Readonly<Record<string, SplitCounts>>;
  readonly documents: number;
  readonly archiveBytes: number;
  readonly md5: string;
  readonly url: string;
  readonly license: string;
  readonly removeSelf: boolean;
  /** Its folder in the cache, or null if it has not been fetched. */
  readonly folder: string | null;
}

export async function listDatasets(cache: string): Promise<ListedDataset[]> {
  return Promise.all(
    DATASETS.map(async ({ archive, folder: _, ...dataset }) => {
      const folder = datasetFolder(cache, dataset.name);
      const { bytes: archiveBytes, md5, url } = archive;
      return { ...dataset, archiveBytes, md5, url, folder: (await exists(folder)) ? folder : null };
    }),
  );
}

export function listText(list: readonly ListedDataset[]): string {
  const rows = list.map(({ name, split, splits, documents, archiveBytes, license, removeSelf, folder }) => [
    name,
    split,
    compact(documents),
    String(splits[split]!.queries),
    `${compact(archiveBytes)}B`,
    removeSelf ? 'drop' : 'keep',
    folder === null ? '' : 'yes',
    license,
  ]);
  return textTable(
    ['name', 'split', 'documents', 'queries', 'archive', 'self-hits', 'here', 'licence'],
    rows,
  );
}
