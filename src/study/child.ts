/** The process of one step: `node child.js JOB.json`. Its exit code and its reports say what became of it. */
import { attempt } from './attempt.ts';
import { Guard } from './guard.ts';
import { readJob } from './job.ts';
import { LIFELINE } from './local.ts';

const guard = new Guard(process.env[LIFELINE] !== undefined);
const interrupted = new AbortController();
process.on('SIGTERM', () => interrupted.abort());
process.on('SIGINT', () => undefined); // a Ctrl-C is the runner's to interpret; it asks with SIGTERM
process.on('exit', code => {
  if (code === 13)
    console.error('the step ended without finishing: something it waited for can never happen');
});

const job = await readJob(process.argv[2] ?? '');
const code = await attempt(job, {
  signal: interrupted.signal,
  now: Date.now,
  seconds: () => performance.now() / 1000,
  keepLease: path => guard.keep(path),
  dropLease: () => guard.stop(),
});
process.exit(code);
