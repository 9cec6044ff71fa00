/**
 * Every command of the program, in the order `isoflop --help` lists them. A command's code is loaded when the command line names it: loading
 * all of them takes longer than many commands run.
 */
import type { Register } from './command.ts';

export const commands: Readonly<Record<string, () => Promise<Register>>> = {
  beir: async () => (await import('./beir.ts')).registerBeir,
  bm25: async () => (await import('./bm25.ts')).registerBm25,
  clean: async () => (await import('./clean.ts')).registerClean,
  correlate: async () => (await import('./correlate.ts')).registerCorrelate,
  cost: async () => (await import('./cost.ts')).registerCost,
  curve: async () => (await import('./curve.ts')).registerCurve,
  data: async () => (await import('./data.ts')).registerData,
  doctor: async () => (await import('./doctor.ts')).registerDoctor,
  embed: async () => (await import('./embed.ts')).registerEmbed,
  eval: async () => (await import('./eval.ts')).registerEval,
  finetune: async () => (await import('./finetune.ts')).registerFinetune,
  fit: async () => (await import('./fit.ts')).registerFit,
  flops: async () => (await import('./flops.ts')).registerFlops,
  icl: async () => (await import('./icl.ts')).registerIcl,
  mine: async () => (await import('./mine.ts')).registerMine,
  optimal: async () => (await import('./optimal.ts')).registerOptimal,
  plan: async () => (await import('./plan.ts')).registerPlan,
  points: async () => (await import('./points.ts')).registerPoints,
  predict: async () => (await import('./predict.ts')).registerPredict,
  pretrain: async () => (await import('./pretrain.ts')).registerPretrain,
  proxy: async () => (await import('./proxy.ts')).registerProxy,
  published: async () => (await import('./published.ts')).registerPublished,
  report: async () => (await import('./report.ts')).registerReport,
  run: async () => (await import('./run.ts')).registerRun,
  search: async () => (await import('./search.ts')).registerSearch,
  serve: async () => (await import('./serve.ts')).registerServe,
  shards: async () => (await import('./shards.ts')).registerShards,
  status: async () => (await import('./status.ts')).registerStatus,
  tokenizer: async () => (await import('./tokenizer.ts')).registerTokenizer,
};
