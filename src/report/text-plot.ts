/** Curves in the terminal, in braille dots: 2 x 4 to a character. */
import { compact } from '../base/index.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface TextPlotOptions {
  readonly xLabel: string;
  readonly yLabel: string;
  /** Characters of the plotting area. */
  readonly width?: number;
  readonly height?: number;
}

/** Bits of the braille patterns (U+2800 ..), by dot row and column. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** Lines of text: the points joined by straight lines, with the extremes of both axes written beside them. */
export function plotText(points: readonly Point[], options: TextPlotOptions): string {
  const { width = 64, height = 12, xLabel, yLabel } = options;
  const shown = points
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
    .sort((a, b) => a.x - b.x);
  if (shown.length === 0) return `(no points of ${yLabel} to show)`;
  const [left, right] = extent(shown.map(({ x }) => x));
  const [bottom, top] = extent(shown.map(({ y }) => y));
  const cells = Array.from({ length: height }, () => new Uint8Array(width));
  const place = ({ x, y }: Point) => ({
    column: scale(x, left, right, 2 * width - 1),
    row: 4 * height - 1 - scale(y, bottom, top, 4 * height - 1),
  });
  const dots = shown.map(place);
  dots.forEach((dot, i) => {
    drawLine(cells, dots[Math.max(0, i - 1)]!, dot);
  });
  const labels = [compact(top), compact(bottom)];
  const margin = Math.max(...labels.map(label => label.length));
  const rows = cells.map((row, i) => {
    const label = i === 0 ? labels[0]! : i === height - 1 ? labels[1]! : '';
    return `${label.padStart(margin)} |${Array.from(row, bits => String.fromCharCode(0x2800 + bits)).join('')}`;
  });
  const axis = `${' '.repeat(margin)} +${'-'.repeat(width)}`;
  const ends = `${' '.repeat(margin + 2)}${compact(left)}${compact(right).padStart(width - compact(left).length)}`;
  return [`${yLabel} against ${xLabel}`, ...rows, axis, ends].join('\n');
}

/** The range of some numbers; widened where they are all one. */
function extent(numbers: readonly number[]): readonly [number, number] {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

function scale(value: number, from: number, to: number, steps: number): number {
  return Math.round(((value - from) / (to - from)) * steps);
}

interface Dot {
  readonly column: number;
  readonly row: number;
}

function drawLine(cells: readonly Uint8Array[], from: Dot, to: Dot): void {
  const steps = Math.max(1, Math.abs(to.column - from.column), Math.abs(to.row - from.row));
  for (let i = 0; i <= steps; i++) {
    const column = Math.round(from.column + ((to.column - from.column) * i) / steps);
    const row = Math.round(from.row + ((to.row - from.row) * i) / steps);
    cells[row >> 2]![column >> 1]! |= DOTS[row & 3]![column & 1]!;
  }
}
