/** Contestants that run in turn, each in a process of its own that reports what it took. */
import { execFileSync } from 'node:child_process';
import { median } from '#src/stats/index.js';

/** The last line a child printed: seconds of its work without start-up, and whatever else it reports. */
export interface Report {
  readonly seconds: number;
  readonly tokens?: number;
  readonly [key: string]: unknown;
}

/** Runs a program whose last line of output is a JSON object. */
export function runReport(command: string, args: readonly string[]): Report {
  const output = execFileSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output.trim().split('\n').at(-1)!) as Report;
}

/** The largest resident memory of this process so far, in MB. */
export const peakMb = () => Math.round(process.resourceUsage().maxRSS / 1000);

/**
 * Runs every contestant once a round, in turn, and prints a JSON line for each: median seconds, speed over `bytes` of text, and `timesFirst`,
 * the median over the rounds of its seconds over those of the first contestant in the same round.
 */
export function race(
  job: string,
  bytes: number,
  rounds: number,
  contestants: Readonly<Record<string, () => Report>>,
): void {
  const names = Object.keys(contestants);
  const reports = Array.from({ length: rounds }, () => names.map(name => contestants[name]!()));
  for (const [i, name] of names.entries()) {
    const runs = reports.map(round => round[i]!);
    const seconds = median(runs.map(run => run.seconds));
    const { seconds: _, tokens, ...rest } = runs.at(-1)!;
    const line = {
      ...{ job, name, seconds, mbPerSecond: bytes / seconds / 1e6 },
      ...(tokens !== undefined && { tokens, tokensPerSecond: Math.round(tokens / seconds) }),
      timesFirst: median(reports.map(round => round[i]!.seconds / round[0]!.seconds)),
      ...rest,
      all: runs.map(run => Number(run.seconds.toFixed(2))),
    };
    console.log(JSON.stringify(line));
  }
}
