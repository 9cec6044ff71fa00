import { awaitedLater } from './concurrent.ts';

/**
 * Maps a stream through asynchronous work, several items at a time, and yields the results in the order of the items:
 * how many run at once changes the speed and never the output. The source is asked for an item only when there is room
 * for it, so memory holds `inFlight` items. When the consumer stops or an item fails, work already begun is waited for.
 */
export async function* mapOrdered<A, B>(
  source: AsyncIterable<A> | Iterable<A>,
  inFlight: number,
  run: (item: A) => Promise<B>,
): AsyncGenerator<B> {
  const pending: Promise<B>[] = [];
  try {
    for await (const item of source) {
      pending.push(awaitedLater(run(item)));
      if (pending.length >= inFlight) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
}
