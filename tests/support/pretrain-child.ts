/**
 * Runs a tiny pretraining in a process of its own and dies where it is told to:
 * `pretrain-child FOLDER TOKENIZER SCHEDULE ACCUMULATION WHEN`, WHEN being `never`, `after:STEP` (a checkpoint of that step is whole) or
 * `during:N` (in the middle of writing checkpoint number N).
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publishFolder, train } from 'isoflop';
import { tinyModel, tinyOptions } from './tiny-run.ts';

const [folder, tokenizer, schedule, accumulation, when] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const [moment, number] = when.split(':');
let saved = 0;
let clock = 0;

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}

class MortalFolder extends train.RunFolder {
  override async saveCheckpoint(
    at: { segment: string; step: number },
    state: train.TrainingState,
  ): Promise<string> {
    if (moment === 'during' && ++saved === Number(number)) {
      await publishFolder(this.checkpointPath(at), async unfinished => {
        await writeFile(join(unfinished, 'state.safetensors'), Buffer.alloc(1000, 7));
        return die();
      });
    }
    const path = await super.saveCheckpoint(at, state);
    if (moment === 'after' && at.step === Number(number)) await die();
    return path;
  }
}

const step = 4 * tinyModel.maxLength * Number(accumulation);
const wsd = schedule === 'wsd';
const options = tinyOptions(tokenizer, {
  accumulation: Number(accumulation),
  budgets: wsd ? [4 * step, 8 * step] : [6 * step],
  warmupTokens: step,
  evaluateEveryTokens: 2 * step,
  checkpointTokens: [2 * step], // stays for good, so that moments are compared too
  schedule: wsd ? { kind: 'wsd', decayShare: 0.25, finalFactor: 0 } : { kind: 'cosine', finalFactor: 0.1 },
});
await train.pretrain(options, {
  folder: new MortalFolder(folder),
  emit: () => {},
  signal: new AbortController().signal,
  now: () => (clock += 10_000), // every run of the engine seems to take ten seconds, so each takes one step
  gemmPeak: undefined,
  checkpointEveryMs: 0,
});
