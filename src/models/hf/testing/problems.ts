/** What refused input is told, for tests. */
import assert from 'node:assert/strict';
import { InputError } from '../../../base/index.ts';

/** `where: message` of every problem that the work is refused for; none where it succeeds. */
export async function problemsOf(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.problems.map(({ where, message }) => `${where}: ${message}`);
  }
  return [];
}
