/** A worker for tests of pools: says what it was told, and how it was started. */
export default function run(value: unknown): {
  readonly value: unknown;
  readonly execArgv: readonly string[];
} {
  return { value, execArgv: process.execArgv };
}
