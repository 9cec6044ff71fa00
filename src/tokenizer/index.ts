export { setNativeThreads } from './native.ts';
export * from './packedTexts.ts';
export * from './tokenizer.ts';
export * from './train.ts';
