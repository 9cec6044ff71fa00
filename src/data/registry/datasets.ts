/**
 * The public collections isoflop can fetch: the 15 public BEIR sets (MS MARCO's dev split among them, CQADupStack as its 12 forums) and MS MARCO's
 * own passage files. Archives' addresses, sizes and MD5 sums, and the counts that a download is checked against, are those that ir_datasets 0.6.3
 * records (etc/downloads.json, etc/metadata.json); BEIR's dataset card lists the same MD5 sums. Which sets drop self-hits, and the licences, are as
 * MTEB states them in its tasks; "not stated" is what it says where the authors say nothing.
 */
import { InputError } from '../../base/index.ts';

export interface Archive {
  readonly url: string;
  readonly bytes: number;
  readonly md5: string;
  readonly format: 'zip' | 'tar.gz';
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SplitCounts {
  /** Judged queries. */
  readonly queries: number;
  readonly judgements: number;
}

export interface Dataset {
  /** As BEIR calls it; CQADupStack's forums are `cqadupstack/android` and so on. */
  readonly name: string;
  /** The task's name in MTEB results. */
  readonly task: string;
  readonly license: string;
  readonly archive: Archive;
  /** Folder inside the archive; '' where the files lie at its top. */
  readonly folder: string;
  /** The split that results are reported on. */
  readonly split: string;
  readonly splits: Readonly<Record<string, SplitCounts>>;
  readonly documents: number;
  /** Queries are documents of the corpus: one that retrieves itself is dropped before scoring (BEIR's and MTEB's rule). */
  readonly removeSelf: boolean;
}

type Counts = readonly [queries: number, judgements: number];
interface Row {
  readonly name: string;
  readonly task: string;
  readonly license: string;
  readonly bytes: number;
  readonly md5: string;
  readonly documents: number;
  readonly splits: Readonly<Record<string, Counts>>;
  readonly split?: string;
  readonly removeSelf?: true;
}

const BEIR = 'https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets';
const BY_SA_4 = 'CC-BY-SA-4.0';
const NOT_STATED = 'not stated';

// biome-ignore format: a table is easier to check against its sources than a tree
const ROWS: readonly Row[] = [
  { name: 'arguana', task: 'ArguAna', license: BY_SA_4, bytes: 3_773_617, md5: '8ad3e3c2a5867cdced806d6503f29b99',
    documents: 8674, splits: { test: [1406, 1406] }, removeSelf: true },
  { name: 'climate-fever', task: 'ClimateFEVER', license: BY_SA_4, bytes: 1_228_666_652, md5: '8b66f0a9126c521bae2bde127b4dc99d',
    documents: 5_416_593, splits: { test: [1535, 4681] } },
  { name: 'dbpedia-entity', task: 'DBPedia', license: 'CC-BY-SA-3.0', bytes: 639_285_131, md5: 'c2a39eb420a3164af735795df012ac2c',
    documents: 4_635_922, splits: { dev: [67, 5673], test: [400, 43_515] } },
  { name: 'fever', task: 'FEVER', license: 'CC-BY-NC-SA-3.0', bytes: 1_236_988_269, md5: '5a818580227bfb4b35bb6fa46d9b6c03',
    documents: 5_416_568, splits: { train: [109_810, 140_085], dev: [6666, 8079], test: [6666, 7937] } },
  { name: 'fiqa', task: 'FiQA2018', license: BY_SA_4, bytes: 17_948_027, md5: '17918ed23cd04fb15047f73e6c3bd9d9',
    documents: 57_638, splits: { train: [5500, 14_166], dev: [500, 1238], test: [648, 1706] } },
  { name: 'hotpotqa', task: 'HotpotQA', license: BY_SA_4, bytes: 654_025_350, md5: 'f412724f78b0d91183a0e86805e16114',
    documents: 5_233_329, splits: { train: [85_000, 170_000], dev: [5447, 10_894], test: [7405, 14_810] } },
  { name: 'msmarco', task: 'MSMARCO', license: 'MSR-LA-NC', bytes: 1_082_258_632, md5: '444067daf65d982533ea17ebd59501e4', split: 'dev',
    documents: 8_841_823, splits: { train: [502_939, 532_751], dev: [6980, 7437], test: [43, 9260] } },
  { name: 'nfcorpus', task: 'NFCorpus', license: BY_SA_4, bytes: 2_448_432, md5: 'a89dba18a62ef92f7d323ec890a0d38d',
    documents: 3633, splits: { train: [2590, 110_575], dev: [324, 11_385], test: [323, 12_334] } },
  { name: 'nq', task: 'NQ', license: 'CC-BY-NC-SA-3.0', bytes: 498_307_926, md5: 'd4d3d2e48787a744b6f6e691ff534307',
    documents: 2_681_468, splits: { test: [3452, 4201] } },
  { name: 'quora', task: 'QuoraRetrieval', license: NOT_STATED, bytes: 15_853_968, md5: '18fb154900ba42a600f84b839c173167',
    documents: 522_931, splits: { dev: [5000, 7626], test: [10_000, 15_675] }, removeSelf: true },
  { name: 'scidocs', task: 'SCIDOCS', license: BY_SA_4, bytes: 142_471_588, md5: '38121350fc3a4d2f48850f6aff52e4a9',
    documents: 25_657, splits: { test: [1000, 29_928] } },
  { name: 'scifact', task: 'SciFact', license: 'CC-BY-4.0 (claims), ODC-By-1.0 (abstracts)', bytes: 2_816_079, md5: '5f7d1de60b170fc8027bb7898e2efca1',
    documents: 5183, splits: { train: [809, 919], test: [300, 339] } },
  { name: 'trec-covid', task: 'TRECCOVID', license: NOT_STATED, bytes: 73_876_720, md5: 'ce62140cb23feb9becf6270d0d1fe6d1',
    documents: 171_332, splits: { test: [50, 66_336] } },
  { name: 'webis-touche2020', task: 'Touche2020', license: BY_SA_4, bytes: 227_132_363, md5: '46f650ba5a527fc69e0a6521c5a23563',
    documents: 382_545, splits: { test: [49, 2214] } },
];

/** The twelve forums: documents, judged queries, judgements. CQADupStack's score is the unweighted mean of theirs. */
// biome-ignore format: a table
const FORUMS: Readonly<Record<string, readonly [documents: number, queries: number, judgements: number]>> = {
  android: [22_998, 699, 1696], english: [40_221, 1570, 3765], gaming: [45_301, 1595, 2263], gis: [37_637, 885, 1114],
  mathematica: [16_705, 804, 1358], physics: [38_316, 1039, 1933], programmers: [32_176, 876, 1675], stats: [42_269, 652, 913],
  tex: [68_184, 2906, 5154], unix: [47_382, 1072, 1693], webmasters: [17_405, 506, 1395], wordpress: [48_605, 541, 744],
};

const CQADUPSTACK: Archive = {
  url: `${BEIR}/cqadupstack.zip`,
  bytes: 5_343_728_040,
  md5: '4e41456d7df8ee7760a7f866133bda78',
  format: 'zip',
};

const MSMARCO_PASSAGE: Dataset = {
  name: 'msmarco-passage',
  task: 'MSMARCO',
  license: 'MSR-LA-NC',
  archive: {
    url: 'https://msmarco.z22.web.core.windows.net/msmarcoranking/collectionandqueries.tar.gz',
    bytes: 1_057_717_952,
    md5: '31644046b18952c1386cd4564ba2ae69',
    format: 'tar.gz',
    headers: { 'X-Ms-Version': '2019-12-12' }, // without it the server does not serve ranges
  },
  folder: '',
  split: 'dev.small',
  splits: { 'dev.small': { queries: 6980, judgements: 7437 } },
  documents: 8_841_823,
  removeSelf: false,
};

function fromRow(row: Row): Dataset {
  const { name, task, license, bytes, md5, documents, split = 'test', removeSelf = false } = row;
  const splits = Object.fromEntries(
    Object.entries(row.splits).map(([key, [queries, judgements]]) => [key, { queries, judgements }]),
  );
  const archive: Archive = { url: `${BEIR}/${name}.zip`, bytes, md5, format: 'zip' };
  return { name, task, license, archive, folder: name, split, splits, documents, removeSelf };
}

function fromForum(forum: string): Dataset {
  const [documents, queries, judgements] = FORUMS[forum]!;
  return {
    name: `cqadupstack/${forum}`,
    task: `CQADupstack${forum[0]!.toUpperCase()}${forum.slice(1)}Retrieval`,
    license: 'Apache-2.0',
    archive: CQADUPSTACK,
    folder: `cqadupstack/${forum}`,
    split: 'test',
    splits: { test: { queries, judgements } },
    documents,
    removeSelf: false,
  };
}

/** Every collection, by name. */
export const DATASETS: readonly Dataset[] = [
  ...ROWS.map(fromRow),
  ...Object.keys(FORUMS).map(fromForum),
  MSMARCO_PASSAGE,
].sort((a, b) => (a.name < b.name ? -1 : 1));

/** The collections a name stands for: one, the forums of `cqadupstack`, or all of `beir`. Throws for names that are none. */
export function datasetsNamed(names: readonly string[]): Dataset[] {
  const problems = names.filter(name => matching(name).length === 0);
  if (problems.length > 0)
    throw new InputError(
      problems.map(name => ({ where: name, message: 'no such collection; `isoflop data ls` lists all' })),
    );
  return [...new Set(names.flatMap(matching))];
}

function matching(name: string): Dataset[] {
  if (name === 'beir') return DATASETS.filter(dataset => dataset !== MSMARCO_PASSAGE);
  return DATASETS.filter(dataset => dataset.name === name || dataset.name.startsWith(`${name}/`));
}

/** The collection that a folder's last names say it is (`.../arguana`, `.../cqadupstack/tex`), or undefined. */
export function datasetOfFolder(folder: string): Dataset | undefined {
  const parts = folder.split(/[\\/]/).filter(part => part !== '' && part !== '.');
  return DATASETS.find(({ name }) => parts.slice(-name.split('/').length).join('/') === name);
}
