/** Every command of the program, in the order `isoflop --help` lists them. */

import { registerBm25 } from './bm25.ts';
import { registerClean } from './clean.ts';
import type { Register } from './command.ts';
import { registerCorrelate } from './correlate.ts';
import { registerCost } from './cost.ts';
import { registerData } from './data.ts';
import { registerEval } from './eval.ts';
import { registerFinetune } from './finetune.ts';
import { registerFit } from './fit.ts';
import { registerFlops } from './flops.ts';
import { registerIcl } from './icl.ts';
import { registerMine } from './mine.ts';
import { registerOptimal } from './optimal.ts';
import { registerPlan } from './plan.ts';
import { registerPoints } from './points.ts';
import { registerPredict } from './predict.ts';
import { registerPretrain } from './pretrain.ts';
import { registerProxy } from './proxy.ts';
import { registerPublished } from './published.ts';
import { registerRun } from './run.ts';
import { registerShards } from './shards.ts';
import { registerStatus } from './status.ts';
import { registerTokenizer } from './tokenizer.ts';

export const commands: readonly Register[] = [
  registerBm25,
  registerClean,
  registerCorrelate,
  registerCost,
  registerData,
  registerEval,
  registerFinetune,
  registerFit,
  registerFlops,
  registerIcl,
  registerMine,
  registerOptimal,
  registerPlan,
  registerPoints,
  registerPredict,
  registerPretrain,
  registerProxy,
  registerPublished,
  registerRun,
  registerShards,
  registerStatus,
  registerTokenizer,
];
