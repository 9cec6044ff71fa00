/** How fast this machine multiplies matrices: what every share of peak is a share of. */
import { gemm, input, makeGraph, reduceMax, slice, type Tensor } from '../graph/index.ts';
import { Session, type SessionOptions } from './session.ts';

export interface PeakOptions extends SessionOptions {
  /** Side of the square matrices. */
  readonly size?: number;
  readonly repeats?: number;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
}

/**
 * Floating-point operations a second of one large fp32 matrix product, the best of several: the engine's own practical peak, not the
 * hardware's nominal one. Takes about a tenth of a second.
 */
export async function measureGemmPeak(options: PeakOptions): Promise<number> {
  const { size = 1024, repeats = 8, now } = options;
  const [a, b] = [input('a', 'float32', [size, size]), input('b', 'float32', [size, size])];
  const product = gemm(a, b);
  // Only one number comes out, so that copying the result is not part of what is measured.
  const corner = slice(slice(product, 0, 0, 1), 1, 0, 1);
  const session = await Session.create(makeGraph([a, b], { y: reduceMax(corner, [0, 1], false) }), options);
  const matrix = (): Tensor => ({
    dtype: 'float32',
    shape: [size, size],
    data: Float32Array.from({ length: size * size }, (_, i) => Math.sin(i)),
  });
  const feeds = { a: matrix(), b: matrix() };
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repeats; i++) {
    const began = now();
    await session.run(feeds);
    best = Math.min(best, now() - began);
  }
  await session.release();
  return (2 * size ** 3) / (best / 1000);
}
