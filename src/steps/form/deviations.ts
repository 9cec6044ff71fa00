/** Where every ladder study differs from the paper (arXiv 2508.17400), for its report. */
export const DEVIATIONS: readonly string[] = [
  'The paper pretrains 125M to 7B parameters on web text; the rungs and texts here are those that the study names.',
  'The paper finetunes on 500,000 pairs of MS MARCO and averages over BEIR; pairs and collections here are those that the study names.',
  'In-context scores are means over the tasks that the study names, each configuration of examples counted once; that is no average of the Eval Gauntlet.',
  "A tokenizer is trained on the study's own text unless it names one; the paper's models share GPT-NeoX-20B's.",
  'Temperature, batch size, learning rate, lengths and prefixes of finetuning are not published; those of the study file are used.',
  "Hard negatives are BM25's, as in the paper; how they are chosen among the ranked documents is not published.",
  'A passage of the batch with the very tokens of a positive of the query is no negative of it; the reference code takes it as one.',
  "Queries without results count as 0; BEIR's evaluation leaves them out.",
  'Rungs without positions use ALiBi and no biases (the released MPT models) unless the study asks for the other flavour.',
  'With a warm-up-stable-decay schedule, the budgets of a rung branch off one trunk; the paper does not name its schedule.',
];
