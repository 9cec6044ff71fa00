/** A worker for tests of pools: loads enough to be caught in the middle of it. */
import { messageOf } from '../index.ts';

export default function run(value: unknown): string {
  return messageOf(value);
}
