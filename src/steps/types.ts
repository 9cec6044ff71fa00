/** Types of the artifacts that steps hand to each other: what stands in a file or folder, whoever made it. */
export const ARTIFACTS = {
  /** Documents: .txt, .jsonl or .parquet, or a folder of them. */
  text: 'text',
  /** tokenizer.json */
  tokenizer: 'tokenizer',
  /** Folder of token shards with its manifest. */
  shards: 'shards',
  /** Hugging Face directory of a decoder, finetuned into an embedder or not. */
  model: 'model',
  /** Training or held-out losses, one JSON object a line, without anything that depends on the clock. */
  trainingLog: 'training-log',
  /** BEIR folder. */
  collection: 'collection',
  /** Training pairs, with or without hard negatives. */
  pairs: 'pairs',
  /** Folder with tasks.yaml and the files it names. */
  tasks: 'icl-tasks',
  /** Vectors of a collection's queries and documents. */
  embeddings: 'embeddings',
  /** TREC run. */
  run: 'run',
  /** Measures of a run, by query. */
  scores: 'scores',
  /** In-context results of a checkpoint. */
  icl: 'icl-scores',
  /** How much of the test sets stands in the pretraining text. */
  overlap: 'overlap',
  /** `StudyResults` of report/. */
  results: 'study-results',
} as const;
