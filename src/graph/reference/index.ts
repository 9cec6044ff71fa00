export { type Numbers, toNumbers } from './arrays.ts';
export { evaluate } from './evaluate.ts';
