/** Both ways of MPT to tell positions, in a size for tests. */
import { LEARNED_FLAVOUR, mptConfig } from '../../mpt/index.ts';

export const SHAPE = { dModel: 8, heads: 2, layers: 2, vocabSize: 11, maxLength: 6 };
export const alibi = mptConfig(SHAPE);
export const learned = mptConfig({ ...SHAPE, ...LEARNED_FLAVOUR });
