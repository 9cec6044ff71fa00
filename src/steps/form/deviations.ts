/** Where every ladder study differs from the paper (arXiv 2508.17400), for its report. */
export const DEVIATIONS: readonly string[] = [
  'The paper pretrains 125M to 7B parameters on web text; the rungs and texts here are those that the study names.',
  'Temperature, batch size, learning rate, lengths and prefixes of finetuning are not published; those of the study file are used.',
  "Hard negatives are BM25's, as in the paper; how they are chosen among the ranked documents is not published.",
  'Rungs without positions use ALiBi and no biases (the released MPT models) unless the study asks for the other flavour.',
  'With a warm-up-stable-decay schedule, the budgets of a rung branch off one trunk; the paper does not name its schedule.',
];
