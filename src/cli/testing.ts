/** An `Io` for tests: keeps what was printed, shows no progress, never aborts unless told. */
import { type Environment, silentProgress } from '../base/index.ts';
import type { Io } from './io.ts';

export interface TestIo extends Io {
  stdout(): string;
  stderr(): string;
}

export function testIo(
  environment: Environment = {},
  signal: AbortSignal = new AbortController().signal,
): TestIo {
  let [printed, logged] = ['', ''];
  return {
    out: text => {
      printed += text;
    },
    log: text => {
      logged += text;
    },
    stdout: () => printed,
    stderr: () => logged,
    progress: silentProgress,
    environment,
    signal,
    interactive: false,
    columns: () => 100,
    now: () => 0,
  };
}
