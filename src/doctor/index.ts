/** Is this machine fit for isoflop, and is isoflop right on it? */
import { messageOf } from '../base/index.ts';
import { type Check, type NamedFinding, runChecks } from './check.ts';
import { type MachineFacts, machineChecks } from './machine.ts';

export { type Finding, type NamedFinding, runChecks, type Status } from './check.ts';
export { diskFinding, nodeFinding, threadsFinding } from './machine.ts';

export interface DoctorOptions extends MachineFacts {
  readonly signal: AbortSignal;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
}

/** Examines everything; takes a few seconds. */
export async function examine(options: DoctorOptions): Promise<NamedFinding[]> {
  return runChecks([...machineChecks(options), ...(await loadEngineChecks(options))], options.signal);
}

/** The engine's library is loaded only here, so that a machine where it does not load is told so like everything else. */
async function loadEngineChecks(options: DoctorOptions): Promise<readonly Check[]> {
  try {
    const { engineChecks } = await import('./engine.ts');
    return engineChecks(options);
  } catch (error) {
    const found = `ONNX Runtime does not load: ${messageOf(error).replaceAll(/\s+/g, ' ')}`;
    const remedy =
      'its library is for Linux (glibc), macOS and Windows on x64 and arm64; run npm ci on this machine';
    return [{ name: 'engine', run: () => Promise.reject(new Error(found)), remedy }];
  }
}

/** Did anything fail? Warnings do not count. */
export const isFit = (findings: readonly NamedFinding[]): boolean =>
  findings.every(({ status }) => status !== 'fail');
