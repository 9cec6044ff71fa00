/** Every command of the program, in the order `isoflop --help` lists them. */

import { registerBeir } from './beir.ts';
import { registerBm25 } from './bm25.ts';
import { registerClean } from './clean.ts';
import type { Register } from './command.ts';
import { registerCorrelate } from './correlate.ts';
import { registerCost } from './cost.ts';
import { registerCurve } from './curve.ts';
import { registerData } from './data.ts';
import { registerDoctor } from './doctor.ts';
import { registerEmbed } from './embed.ts';
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
import { registerReport } from './report.ts';
import { registerRun } from './run.ts';
import { registerSearch } from './search.ts';
import { registerShards } from './shards.ts';
import { registerStatus } from './status.ts';
import { registerTokenizer } from './tokenizer.ts';

export const commands: readonly Register[] = [
  registerBeir,
  registerBm25,
  registerClean,
  registerCorrelate,
  registerCost,
  registerCurve,
  registerData,
  registerDoctor,
  registerEmbed,
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
  registerReport,
  registerRun,
  registerSearch,
  registerShards,
  registerStatus,
  registerTokenizer,
];
