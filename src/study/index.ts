/** The study engine: steps, their identities, the store, and the runs that fill it. It knows nothing of what the steps do. */
export * from './board.ts';
export * from './clean.ts';
export * from './events.ts';
export * from './executor.ts';
export type { Change, Fingerprint, InputDigest } from './fingerprint.ts';
export * from './form.ts';
export { checkStudy, type Source, type Step, type Study } from './graph.ts';
export * from './kind.ts';
export * from './live.ts';
export { defaultWorkers, LocalExecutor, type LocalOptions, type Machine, thisMachine } from './local.ts';
export { type MetricPoint, readMetrics, type StepMetrics } from './metrics.ts';
export * from './plan.ts';
export { studyNames } from './refs.ts';
export { Registry } from './registry.ts';
export * from './run.ts';
export { SlurmExecutor, type SlurmOptions } from './slurm.ts';
export {
  type InputRef,
  NAME,
  NAME_RULE,
  type PathRef,
  type StepRef,
  type StepSpec,
  type StudySpec,
} from './spec.ts';
export * from './status.ts';
export { type Artifact, type Depth, type Lookup, type Manifest, type OutputEntry, Store } from './store.ts';
export type { Listener } from './transcript.ts';
export * from './view.ts';
