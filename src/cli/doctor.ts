import { availableParallelism } from 'node:os';
import { defaultThreads, StepError, textTable } from '../base/index.ts';
import type { NamedFinding } from '../doctor/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import { integer } from './values.ts';

interface Flags {
  readonly folder: string;
  readonly threads?: number;
  readonly json?: boolean;
}

export const registerDoctor: Register = (program, io) => {
  addCommand(program, {
    name: 'doctor',
    summary: 'check that this machine is fit for isoflop, and that isoflop is right on it',
    details:
      'Node, threads, disk, the tokenizer and the engine: which providers it has, how fast it multiplies, whether denormals are flushed, whether padding\nchanges an embedding, and whether gradients are right. Exits with 1 if something will not work; warnings do not count.',
    examples: ['isoflop doctor', 'isoflop doctor --folder runs --json'],
  })
    .option('--folder <dir>', 'where runs are to be kept', '.')
    .option('--threads <n>', 'threads to check with (default: OMP_NUM_THREADS, else all cores)', integer(1))
    .action(async (flags: Flags) => {
      const { examine, isFit } = await import('../doctor/index.ts');
      const cores = availableParallelism();
      const asked = io.environment['OMP_NUM_THREADS'];
      const findings = await examine({
        nodeVersion: process.version,
        cores,
        threads: flags.threads ?? defaultThreads(io.environment),
        asked: flags.threads === undefined ? asked : undefined,
        folder: flags.folder,
        signal: io.signal,
        now: () => performance.now(),
      });
      const fit = isFit(findings);
      emit(io, flags, { ok: fit, checks: findings }, () => table(findings));
      if (!fit) throw new StepError('doctor', `${findings.filter(isFailed).length} of the checks failed`);
    });
};

const isFailed = ({ status }: NamedFinding): boolean => status === 'fail';

function table(findings: readonly NamedFinding[]): string {
  const rows = findings.map(({ name, status, found }) => [name, status, found]);
  const advice = findings
    .filter(({ remedy }) => remedy !== '')
    .map(({ name, remedy }) => `${name}: ${remedy}`);
  return [textTable(['check', 'status', 'found'], rows), ...advice].join('\n');
}
