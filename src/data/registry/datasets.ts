/**
 * The public collections isoflop can fetch: the 15 public BEIR sets (MS MARCO's dev split among them, CQADupStack as its 12 forums) and MS MARCO's
 * own passage files. Archives' addresses, sizes and MD5 sums, and the counts that a download is checked against, are those that ir_datasets 0.6.3
 * records (etc/downloads.json, etc/metadata.json); BEIR's dataset card lists the same MD5 sums. Which sets drop self-hits, and the licences, are as
 * MTEB states them in its tasks; "not stated" is what it says where the authors say nothing.
 */
import { resolve } from 'node:path';
import { InputError } from '../../base/index.ts';

export interface Archive {
  readonly url: string;
  readonly bytes: number;
  readonly md5: string;
  readonly format: 'zip' | 'tar.gz';
  readonly headers?: Readonly<Record<string, string>>;
}

export interface JudgedCounts {
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
  readonly splits: Readonly<Record<string, JudgedCounts>>;
  readonly documents: number;
  /**
   * Queries are documents of the corpus: one that retrieves itself is dropped before scoring. DEVIATION: BEIR's code does so for every collection,
   * where ids may collide by accident.
   */
  readonly removeSelf: boolean;
}

type Judged = readonly [queries: number, judgements: number];
interface Counts {
  readonly documents: number;
  readonly train?: Judged;
  readonly dev?: Judged;
  readonly test?: Judged;
}
type Task = Pick<Dataset, 'task' | 'license'> & Partial<Pick<Dataset, 'split' | 'removeSelf'>>;

const BEIR = 'https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets';
const BY_SA_4 = 'CC-BY-SA-4.0';
const NOT_STATED = 'not stated';

/** BEIR's sets by name, in three tables as their sources have them. First the archives (ir_datasets, downloads.json). */
const ARCHIVES = {
  arguana: [3_773_617, '8ad3e3c2a5867cdced806d6503f29b99'],
  'climate-fever': [1_228_666_652, '8b66f0a9126c521bae2bde127b4dc99d'],
  'dbpedia-entity': [639_285_131, 'c2a39eb420a3164af735795df012ac2c'],
  fever: [1_236_988_269, '5a818580227bfb4b35bb6fa46d9b6c03'],
  fiqa: [17_948_027, '17918ed23cd04fb15047f73e6c3bd9d9'],
  hotpotqa: [654_025_350, 'f412724f78b0d91183a0e86805e16114'],
  msmarco: [1_082_258_632, '444067daf65d982533ea17ebd59501e4'],
  nfcorpus: [2_448_432, 'a89dba18a62ef92f7d323ec890a0d38d'],
  nq: [498_307_926, 'd4d3d2e48787a744b6f6e691ff534307'],
  quora: [15_853_968, '18fb154900ba42a600f84b839c173167'],
  scidocs: [142_471_588, '38121350fc3a4d2f48850f6aff52e4a9'],
  scifact: [2_816_079, '5f7d1de60b170fc8027bb7898e2efca1'],
  'trec-covid': [73_876_720, 'ce62140cb23feb9becf6270d0d1fe6d1'],
  'webis-touche2020': [227_132_363, '46f650ba5a527fc69e0a6521c5a23563'],
} satisfies Readonly<Record<string, readonly [bytes: number, md5: string]>>;

type Name = keyof typeof ARCHIVES;
const NAMES = Object.keys(ARCHIVES) as Name[];

/** What the archives hold (ir_datasets, metadata.json): documents, and the judged queries and judgements of every split. */
const COUNTS: Readonly<Record<Name, Counts>> = {
  arguana: { documents: 8674, test: [1406, 1406] },
  'climate-fever': { documents: 5_416_593, test: [1535, 4681] },
  'dbpedia-entity': { documents: 4_635_922, dev: [67, 5673], test: [400, 43_515] },
  fever: { documents: 5_416_568, train: [109_810, 140_085], dev: [6666, 8079], test: [6666, 7937] },
  fiqa: { documents: 57_638, train: [5500, 14_166], dev: [500, 1238], test: [648, 1706] },
  hotpotqa: { documents: 5_233_329, train: [85_000, 170_000], dev: [5447, 10_894], test: [7405, 14_810] },
  msmarco: { documents: 8_841_823, train: [502_939, 532_751], dev: [6980, 7437], test: [43, 9260] },
  nfcorpus: { documents: 3633, train: [2590, 110_575], dev: [324, 11_385], test: [323, 12_334] },
  nq: { documents: 2_681_468, test: [3452, 4201] },
  quora: { documents: 522_931, dev: [5000, 7626], test: [10_000, 15_675] },
  scidocs: { documents: 25_657, test: [1000, 29_928] },
  scifact: { documents: 5183, train: [809, 919], test: [300, 339] },
  'trec-covid': { documents: 171_332, test: [50, 66_336] },
  'webis-touche2020': { documents: 382_545, test: [49, 2214] },
};

/** The tasks made of them (MTEB). */
const TASKS: Readonly<Record<Name, Task>> = {
  arguana: { task: 'ArguAna', license: BY_SA_4, removeSelf: true },
  'climate-fever': { task: 'ClimateFEVER', license: BY_SA_4 },
  'dbpedia-entity': { task: 'DBPedia', license: 'CC-BY-SA-3.0' },
  fever: { task: 'FEVER', license: 'CC-BY-NC-SA-3.0' },
  fiqa: { task: 'FiQA2018', license: BY_SA_4 },
  hotpotqa: { task: 'HotpotQA', license: BY_SA_4 },
  msmarco: { task: 'MSMARCO', license: 'MSR-LA-NC', split: 'dev' },
  nfcorpus: { task: 'NFCorpus', license: BY_SA_4 },
  nq: { task: 'NQ', license: 'CC-BY-NC-SA-3.0' },
  quora: { task: 'QuoraRetrieval', license: NOT_STATED, removeSelf: true },
  scidocs: { task: 'SCIDOCS', license: BY_SA_4 },
  scifact: { task: 'SciFact', license: 'CC-BY-4.0 (claims), ODC-By-1.0 (abstracts)' },
  'trec-covid': { task: 'TRECCOVID', license: NOT_STATED },
  'webis-touche2020': { task: 'Touche2020', license: BY_SA_4 },
};

/** The twelve forums: documents, judged queries, judgements. CQADupStack's score is the unweighted mean of theirs. */
const FORUMS: Readonly<Record<string, readonly [documents: number, queries: number, judgements: number]>> = {
  android: [22_998, 699, 1696],
  english: [40_221, 1570, 3765],
  gaming: [45_301, 1595, 2263],
  gis: [37_637, 885, 1114],
  mathematica: [16_705, 804, 1358],
  physics: [38_316, 1039, 1933],
  programmers: [32_176, 876, 1675],
  stats: [42_269, 652, 913],
  tex: [68_184, 2906, 5154],
  unix: [47_382, 1072, 1693],
  webmasters: [17_405, 506, 1395],
  wordpress: [48_605, 541, 744],
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
    headers: { 'X-Ms-Version': '2019-12-12' }, // as ir_datasets sends it
  },
  folder: '',
  split: 'dev.small',
  splits: { 'dev.small': { queries: 6980, judgements: 7437 } },
  documents: 8_841_823,
  removeSelf: false,
};

function fromTables(name: Name): Dataset {
  const [bytes, md5] = ARCHIVES[name];
  const { documents, ...judged } = COUNTS[name];
  const { task, license, split = 'test', removeSelf = false } = TASKS[name];
  const splits = Object.fromEntries(
    Object.entries(judged).map(([key, [queries, judgements]]) => [key, { queries, judgements }]),
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
  ...NAMES.map(fromTables),
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
  const parts = resolve(folder).split(/[\\/]/);
  return DATASETS.find(({ name }) => parts.slice(-name.split('/').length).join('/') === name);
}
