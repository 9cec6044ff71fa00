/** What pretraining and finetuning share as steps: how their events reach the study, and logs without a clock in them. */
import { type Json, type ProgressTask, readLineBlocks, writeAtomically } from '../base/index.ts';
import type { Slots, StepContext } from '../study/index.ts';
import { TIMED_FIELDS, type TrainEvent } from '../train/index.ts';

const CHECKPOINT_MS = 60_000;

type Context = Pick<StepContext<unknown, Slots>, 'signal' | 'progress' | 'metrics' | 'log'>;

/** The effects that training takes, joined to the study's events. */
export function trainEffects({ signal, progress, metrics, log }: Context) {
  let task: ProgressTask | undefined;
  return {
    signal,
    progress,
    now: () => performance.now(),
    checkpointEveryMs: CHECKPOINT_MS,
    emit(event: TrainEvent) {
      if (event.type === 'progress') {
        task ??= progress.start('train', event.total, '');
        task.update(event.done, event.note);
        if (event.done === event.total) task.finish();
      }
      if (event.type === 'heldOut') metrics({ [lossName(event.segment)]: event.lossNats }, event.tokens);
      if (event.type === 'resumed') log(`resumed ${event.segment} after step ${event.step}`);
    },
  };
}

/** The trunk's loss is one curve; a branch, which leaves it at some token and decays, has a name of its own. */
function lossName(segment: string): string {
  return segment.startsWith('trunk') ? 'heldOutLossNats' : `heldOutLossNats ${segment}`;
}

/** Copies metrics line by line without the fields that depend on the clock, so that equal runs give equal bytes. */
export async function copyLog(from: string, to: string): Promise<void> {
  await writeAtomically(to, async file => {
    for await (const { lines } of readLineBlocks(from)) {
      const stripped = lines.map(line => {
        const event = JSON.parse(line) as Record<string, Json>;
        for (const field of TIMED_FIELDS) delete event[field];
        return `${JSON.stringify(event)}\n`;
      });
      await file.write(stripped.join(''));
    }
  });
}
