/** A study as a plain list of steps: what every way of writing a study file comes down to. */
import type { Locate } from '../base/index.ts';
import type { Estimate } from './kind.ts';

/** What an input reads: an output of another step, or a file or folder from outside. */
export type InputRef = StepRef | PathRef;

export interface StepRef {
  readonly step: string;
  /** May be left out where the step has only one output of the wanted type. */
  readonly output?: string;
}

export interface PathRef {
  /** Absolute. */
  readonly path: string;
}

export interface StepSpec {
  readonly name: string;
  /** Undefined where it could not be read and that has been reported. */
  readonly kind: string | undefined;
  readonly params?: unknown;
  /** An entry that is present but undefined could not be read, and that has been reported. */
  readonly inputs?: Readonly<Record<string, InputRef | readonly InputRef[] | undefined>>;
  /** What is known beforehand of what it costs, where its parameters alone do not tell. */
  readonly estimate?: Estimate | undefined;
  /** Where a part of this step stands in the study file: `source(['params', 'tokens'])`. */
  readonly source?: Locate;
}

export interface StudySpec {
  /** Names the study's folder in the store. */
  readonly name: string;
  readonly steps: readonly StepSpec[];
}

/** Names of studies and steps become file names, and must do so on every system. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
export const NAME_RULE =
  'expected a name of letters, digits, dots, dashes and underscores that begins with a letter or digit';

/** The file of every artifact that lists the others; no output may be called so. */
export const MANIFEST = 'manifest.json';
