/**
 * The four ways something can go wrong, and what each means for the caller.
 * An error says what was found, what was expected and what to do about it.
 */

/** One thing wrong with one place: `qrels/test.tsv:14` and `expected 3 tab-separated fields, found 2`. */
export interface Problem {
  readonly where: string;
  readonly message: string;
}

/** A file, a flag or a value that the user gave is wrong. Carries every problem found, not only the first. Exit code 2. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly problems: readonly Problem[];

  constructor(where: string, message: string, options?: ErrorOptions);
  constructor(problems: readonly Problem[], options?: ErrorOptions);
  constructor(first: string | readonly Problem[], second?: string | ErrorOptions, third?: ErrorOptions) {
    const problems = typeof first === 'string' ? [{ where: first, message: String(second) }] : first;
    super(
      problems.map(formatProblem).join('\n'),
      typeof first === 'string' ? third : (second as ErrorOptions),
    );
    this.problems = problems;
  }
}

/** Tensor shapes or types that do not fit an operation: a bug in the caller's graph, never in its data. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  readonly op: string;
  readonly shapes: readonly string[];

  constructor(op: string, shapes: readonly string[], message: string) {
    super(`${op}(${shapes.join(', ')}): ${message}`);
    this.op = op;
    this.shapes = shapes;
  }
}

/** A step of work that was correct to ask for did not finish: a full disk, a killed child, a loss that is not finite. Exit code 1. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly step: string;

  constructor(step: string, message: string, options?: ErrorOptions) {
    super(`${step}: ${message}`, options);
    this.step = step;
  }
}

/** Something that cannot happen did. Exit code 70. */
export class InternalError extends Error {
  override readonly name = 'InternalError';
}

export const EXIT_DONE = 0;
export const EXIT_FAILED = 1;
export const EXIT_INPUT = 2;
export const EXIT_BUG = 70;

/** How many problems of one file are printed before the rest is only counted. */
const PROBLEMS_KEPT = 50;

/** Problems as plain data: how many there were, and the first of them. */
export interface FoundProblems {
  readonly count: number;
  readonly kept: readonly Problem[];
}

/** Collects problems so that a reader can report all of a file's faults at once. */
export class Problems {
  readonly #kept: Problem[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(where: string, message: string): void {
    this.#count++;
    if (this.#kept.length < PROBLEMS_KEPT) this.#kept.push({ where, message });
  }

  /** What another collector found, in another thread perhaps. */
  absorb({ count, kept }: FoundProblems): void {
    this.#kept.push(...kept.slice(0, PROBLEMS_KEPT - this.#kept.length));
    this.#count += count;
  }

  /** All that was found, as plain data. */
  found(): FoundProblems {
    return { count: this.#count, kept: [...this.#kept] };
  }

  list(): readonly Problem[] {
    const more = this.#count - this.#kept.length;
    return more > 0 ? [...this.#kept, { where: '...', message: `and ${more} more problems` }] : this.#kept;
  }

  /** Throws one `InputError` with everything collected, or returns if nothing was. */
  throwIfAny(): void {
    if (this.#count > 0) throw new InputError(this.list());
  }
}

export function formatProblem(problem: Problem): string {
  return problem.where === '' ? problem.message : `${problem.where}: ${problem.message}`;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Is this the operating system's error with that code (`ENOENT`, `ENOSPC`, ...)? */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Was this thrown because an abort signal fired? */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || hasCode(error, 'ABORT_ERR'));
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof InputError) return EXIT_INPUT;
  if (error instanceof StepError || isAbort(error) || (error instanceof Error && 'syscall' in error))
    return EXIT_FAILED;
  return EXIT_BUG;
}

/** Closes an exhaustive `switch`: the compiler complains when a case is missing. */
export function unreachable(value: never): never {
  throw new InternalError(`unexpected value ${JSON.stringify(value)}`);
}
