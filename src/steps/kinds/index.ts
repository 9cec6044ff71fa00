/** Every step kind of isoflop. The study engine loads this module in each step's process. */
import { bm25Step } from './bm25.ts';
import { encodeStep } from './encode.ts';
import { evaluateStep } from './evaluate.ts';
import { finetuneStep } from './finetune.ts';
import { iclStep } from './icl.ts';
import { initializeStep } from './initialize.ts';
import { mineStep } from './mine.ts';
import { overlapStep } from './overlap.ts';
import { pairsStep } from './pairs.ts';
import { pretrainStep } from './pretrain.ts';
import { resultsStep } from './results.ts';
import { searchStep } from './search.ts';
import { shardsStep } from './shards.ts';
import { tokenizerStep } from './tokenizer.ts';
import { wordnetStep } from './wordnet.ts';

export const kinds = [
  bm25Step,
  encodeStep,
  evaluateStep,
  finetuneStep,
  iclStep,
  initializeStep,
  mineStep,
  overlapStep,
  pairsStep,
  pretrainStep,
  resultsStep,
  searchStep,
  shardsStep,
  tokenizerStep,
  wordnetStep,
];
