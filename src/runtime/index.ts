export { OPSET, toOnnx } from './onnx.ts';
export * from './session.ts';
