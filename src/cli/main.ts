#!/usr/bin/env node
import { silentProgress, terminalProgress } from '../base/index.ts';
import { runProgram } from './program.ts';
import { stoppingNotice } from './stopping.ts';

const argv = process.argv.slice(2);
const interrupted = new AbortController();
process.on('SIGINT', () => {
  if (interrupted.signal.aborted) process.exit(1); // the second Ctrl-C does not wait
  interrupted.abort();
  process.stderr.write(`\n${stoppingNotice(argv)}`);
});
process.on('SIGTERM', () => interrupted.abort());
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', error => {
    if ('code' in error && error.code === 'EPIPE') process.exit(0); // `isoflop ... | head`
    throw error;
  });
}

const interactive = process.stderr.isTTY === true;
const columns = () => process.stderr.columns || 100;
process.exitCode = await runProgram(argv, {
  out: text => void process.stdout.write(text),
  log: text => void process.stderr.write(text),
  progress: interactive
    ? terminalProgress({
        write: text => void process.stderr.write(text),
        seconds: () => performance.now() / 1000,
        columns,
      })
    : silentProgress,
  environment: process.env,
  signal: interrupted.signal,
  interactive,
  columns,
  now: Date.now,
});
