/** The process of one step: `node child.js JOB.json`. Its exit code and its reports say what became of it. */
import { attempt } from './attempt.ts';
import { Guard } from './guard.ts';
import { readJob } from './job.ts';
import { LIFELINE } from './local.ts';

const guard = new Guard(process.env[LIFELINE] !== undefined);
const interrupted = new AbortController();
process.on('SIGTERM', () => interrupted.abort());
process.on('SIGINT', () => undefined); // a Ctrl-C is the runner's to interpret; it asks with SIGTERM
let ended = false;
process.on('exit', () => {
  if (!ended)
    console.error(
      'the process ended before the step: it called process.exit, or waited for what can never happen',
    );
});

const job = await readJob(process.argv[2] ?? '');
const code = await attempt(job, {
  signal: interrupted.signal,
  now: Date.now,
  seconds: () => performance.now() / 1000,
  keepLease: path => guard.keep(path),
  dropLease: () => guard.stop(),
});
ended = true;
process.exit(code);
