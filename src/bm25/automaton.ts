/**
 * Regular grammars over a small alphabet, compiled to a minimal deterministic automaton (Thompson's construction, subsets,
 * then Moore's merging of states that nothing can tell apart).
 * A grammar written as a formula is easier to hold against its specification than a hand-made state machine, and the
 * automaton it becomes is one table look-up a symbol.
 */

/** A regular language: how it is added to an automaton under construction, between two states. */
export type Language = (build: Builder, from: number, to: number) => void;

/** The transitions under construction: on a symbol, or (`EPSILON`) for nothing. */
class Builder {
  readonly arrows: { readonly symbol: number; readonly to: number }[][] = [];

  state(): number {
    return this.arrows.push([]) - 1;
  }

  arrow(from: number, symbol: number, to: number): void {
    this.arrows[from]!.push({ symbol, to });
  }
}

const EPSILON = -1;

/** One symbol, any of these. */
export function oneOf(symbols: Iterable<number>): Language {
  const alternatives = [...symbols];
  return (build, from, to) => {
    for (const symbol of alternatives) build.arrow(from, symbol, to);
  };
}

/** Each in turn. */
export function seq(...parts: readonly Language[]): Language {
  return (build, from, to) => {
    let at = from;
    parts.forEach((part, i) => {
      const next = i === parts.length - 1 ? to : build.state();
      part(build, at, next);
      at = next;
    });
  };
}

/** Any one of them. */
export function alt(...parts: readonly Language[]): Language {
  return (build, from, to) => {
    for (const part of parts) part(build, from, to);
  };
}

/** None or more. */
export function star(part: Language): Language {
  return (build, from, to) => {
    const loop = build.state();
    build.arrow(from, EPSILON, loop);
    part(build, loop, loop);
    build.arrow(loop, EPSILON, to);
  };
}

/** One or more. */
export function plus(part: Language): Language {
  return seq(part, star(part));
}

/** One or none. */
export function optional(part: Language): Language {
  return (build, from, to) => {
    part(build, from, to);
    build.arrow(from, EPSILON, to);
  };
}

/** A complete deterministic automaton. State 0 is dead (nothing can follow), state 1 is the start. */
export interface Automaton {
  readonly symbols: number;
  /** `next[state * symbols + symbol]`: the state that follows. */
  readonly next: Uint8Array;
  /** `accepts[state]` is 1 where what was read so far is in the language. */
  readonly accepts: Uint8Array;
}

export const DEAD = 0;
export const START = 1;

/** The automaton of a language over symbols 0 .. `symbols` - 1. Throws a `RangeError` above 256 states. */
export function compile(language: Language, symbols: number): Automaton {
  const { rows, accepting } = determinise(language, symbols);
  const block = minimise(rows, accepting);
  const states = Math.max(...block) + 1;
  if (states > 256) throw new RangeError(`${states} states do not fit a byte`);
  const next = new Uint8Array(states * symbols);
  const accepts = new Uint8Array(states);
  rows.forEach((row, state) => {
    for (let symbol = 0; symbol < symbols; symbol++)
      next[block[state]! * symbols + symbol] = block[row[symbol]!]!;
    accepts[block[state]!] = accepting[state]!;
  });
  return { symbols, next, accepts };
}

interface States {
  /** `rows[state][symbol]`: the state that follows. */
  readonly rows: readonly (readonly number[])[];
  readonly accepting: readonly number[];
}

function determinise(language: Language, symbols: number): States {
  const build = new Builder();
  const [start, end] = [build.state(), build.state()];
  language(build, start, end);
  const sets: (readonly number[])[] = [[], closure(build, [start])];
  const numbers = new Map(sets.map((set, number) => [set.join(), number]));
  const rows: number[][] = [Array<number>(symbols).fill(DEAD)];
  for (let state = START; state < sets.length; state++) {
    const row = Array<number>(symbols).fill(DEAD);
    steps(build, sets[state]!).forEach((reached, symbol) => {
      const set = closure(build, reached);
      const key = set.join();
      if (!numbers.has(key)) numbers.set(key, sets.push(set) - 1);
      row[symbol] = numbers.get(key)!;
    });
    rows[state] = row;
  }
  return { rows, accepting: sets.map(set => (set.includes(end) ? 1 : 0)) };
}

/** For each state the number of its block of equivalent states, numbered by first member, so that 0 stays dead and 1 the start. */
function minimise(rows: States['rows'], accepting: readonly number[]): readonly number[] {
  let blocks: readonly number[] = accepting;
  for (let count = 0; ; ) {
    const seen = new Map<string, number>();
    const finer = rows.map((row, state) => {
      const key = `${blocks[state]}:${row.map(to => blocks[to]).join()}`;
      return seen.get(key) ?? seen.set(key, seen.size).size - 1;
    });
    if (seen.size === count) return finer;
    count = seen.size;
    blocks = finer;
  }
}

/** `steps[symbol]`: the states one symbol away; nothing where there are none. */
function steps(build: Builder, set: readonly number[]): readonly number[][] {
  const reached: number[][] = [];
  for (const state of set) {
    for (const { symbol, to } of build.arrows[state]!) {
      if (symbol === EPSILON) continue;
      reached[symbol] ??= [];
      reached[symbol].push(to);
    }
  }
  return reached;
}

function closure(build: Builder, states: readonly number[]): number[] {
  const reached = new Set(states);
  for (const state of reached) {
    for (const { symbol, to } of build.arrows[state]!) if (symbol === EPSILON) reached.add(to);
  }
  return [...reached].sort((a, b) => a - b);
}
