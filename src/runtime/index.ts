export { OPSET, toOnnx } from './onnx.ts';
export * from './peak.ts';
export * from './session.ts';
