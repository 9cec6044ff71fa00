/** How a step failed. */
import type { Failure, Report } from './events.ts';

/** Why a job that ended without an artifact did so, as far as the step itself and its exit status tell. */
export function failureOf(
  verdict: Report | undefined,
  code: number | undefined,
  signal: string | undefined,
): Omit<Failure, 'logTail'> {
  if (verdict?.type === 'failed') {
    const { reason, message, stack } = verdict;
    return { reason, message, ...(stack !== undefined && { stack }) };
  }
  if (signal !== undefined) {
    const hint = signal === 'SIGKILL' ? ', as the system does when memory runs out' : '';
    return { reason: 'signal', message: `its process was ended by ${signal}${hint}` };
  }
  if (code === 0) return { reason: 'unpublished', message: 'its process ended without publishing anything' };
  return { reason: 'exit', message: `its process ended with exit code ${code}` };
}
