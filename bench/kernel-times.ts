/** What a profile of ONNX Runtime says of the time of its kernels. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

type NamedShape = Readonly<Record<string, readonly number[]>>;

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds: when it began, and how long it took. */
  readonly ts: number;
  readonly dur: number;
  readonly args?: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly NamedShape[];
    readonly output_type_shape?: readonly NamedShape[];
  };
}

/** Calls of one kind of kernel. */
export interface KernelTime {
  readonly kernel: string;
  calls: number;
  milliseconds: number;
  /** Operations of the calls, where the kernel is a matrix product. */
  flops: number;
}

const CONTAINERS: ReadonlySet<string> = new Set(['Loop', 'If', 'Scan']);
const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'Gemm', 'FusedMatMul', 'FusedGemm']);

/** The kernel events of the last run in the newest profile whose name begins with `prefix`. Loops hold other kernels, so they are left out. */
function kernelEvents(prefix: string): TraceEvent[] {
  const folder = dirname(prefix);
  const file = readdirSync(folder)
    .map(name => join(folder, name))
    .filter(path => path.startsWith(prefix))
    .sort()
    .at(-1);
  if (file === undefined) throw new Error(`no profile ${prefix}*`);
  const events = JSON.parse(readFileSync(file, 'utf8')) as readonly TraceEvent[];
  const lastRun = Math.max(...events.filter(({ name }) => name === 'model_run').map(({ ts }) => ts));
  return events.filter(
    ({ cat, name, ts, args }) =>
      ts >= lastRun &&
      cat === 'Node' &&
      name.endsWith('_kernel_time') &&
      !CONTAINERS.has(args?.op_name ?? ''),
  );
}

/** Sums the last run of a profile by operator, or for matrix products by operator and shapes, the longest first. */
export function kernelTimes(prefix: string, by: 'operator' | 'shape'): KernelTime[] {
  const sums = new Map<string, KernelTime>();
  for (const event of kernelEvents(prefix)) {
    const op = event.args?.op_name ?? '?';
    const flops = PRODUCTS.has(op) ? productFlops(event) : 0;
    const kernel = by === 'operator' ? op : `${op} ${shapesOf(event)}`;
    const sum = sums.get(kernel) ?? { kernel, calls: 0, milliseconds: 0, flops: 0 };
    sums.set(kernel, sum);
    sum.calls++;
    sum.milliseconds += event.dur / 1000;
    sum.flops += flops;
  }
  return [...sums.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

export const isProduct = ({ kernel }: KernelTime): boolean => PRODUCTS.has(kernel.split(' ')[0]!);

const dims = (shape: NamedShape): readonly number[] => Object.values(shape)[0] ?? [];
const elements = (shape: readonly number[]): number => shape.reduce((n, dim) => n * dim, 1);

function shapesOf({ args }: TraceEvent): string {
  const written = (shapes: readonly NamedShape[] = []) =>
    shapes.map(shape => `[${dims(shape).join(',')}]`).join(' ');
  return `${written(args?.input_type_shape)} -> ${written(args?.output_type_shape)}`;
}

/**
 * 2 M N K for every matrix of the result. Whichever way the factors are transposed, their elements are b M K and b N K and those of the
 * result b M N, so the square root of the product of the three is b^1.5 M N K.
 */
function productFlops({ args }: TraceEvent): number {
  const [a, b] = (args?.input_type_shape ?? []).map(dims);
  const [y] = (args?.output_type_shape ?? []).map(dims);
  if (!a || !b || !y) return 0;
  const batches = Math.max(1, elements(y.slice(0, -2)));
  const share = b.length > 2 ? elements(b) : elements(b) * batches; // a shared right factor belongs to every matrix
  return (2 * Math.sqrt(elements(a) * share * elements(y))) / Math.sqrt(batches);
}
