/** The op table: one row an operator. A missing rule does not compile; a rule for a name ONNX does not have fails the serialisation test. */
import type { Rule } from '../rule.ts';
import { control } from './control.ts';
import { elementwise } from './elementwise.ts';
import { linear } from './linear.ts';
import { reduce } from './reduce.ts';
import { shape } from './shape.ts';

const table = { ...elementwise, ...linear, ...reduce, ...shape, ...control };

export type OpName = keyof typeof table;

export const ops: { readonly [Op in OpName]: Rule } = table;
