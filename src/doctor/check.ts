/** What a check finds, and how a list of them is run. */
import { isAbort, messageOf } from '../base/index.ts';

/** `warn`: isoflop works, but slower or with less than could be. `fail`: something will not work. */
export type Status = 'ok' | 'warn' | 'fail';

export interface Finding {
  readonly status: Status;
  /** What was found, in a few words. */
  readonly found: string;
  /** What to do about it; empty where there is nothing to do. */
  readonly remedy: string;
}

export interface NamedFinding extends Finding {
  readonly name: string;
}

export interface Check {
  readonly name: string;
  readonly run: () => Promise<Finding>;
  /** What to do if the check itself throws. */
  readonly remedy: string;
}

export const ok = (found: string): Finding => ({ status: 'ok', found, remedy: '' });
export const warn = (found: string, remedy: string): Finding => ({ status: 'warn', found, remedy });
export const fail = (found: string, remedy: string): Finding => ({ status: 'fail', found, remedy });

/** Runs checks one after another. Whatever one throws is its finding: the others still run. */
export async function runChecks(checks: readonly Check[], signal: AbortSignal): Promise<NamedFinding[]> {
  const findings: NamedFinding[] = [];
  for (const { name, run, remedy } of checks) {
    signal.throwIfAborted();
    findings.push({ name, ...(await run().catch((error: unknown) => thrown(error, remedy))) });
  }
  return findings;
}

function thrown(error: unknown, remedy: string): Finding {
  if (isAbort(error)) throw error;
  return fail(messageOf(error).replaceAll(/\s+/g, ' ').trim(), remedy);
}
