export { loadNative, setNativeThreads } from './native.ts';
export * from './packed-texts.ts';
export * from './tokenizer.ts';
export * from './train.ts';
