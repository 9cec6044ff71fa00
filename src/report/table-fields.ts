/** Tables for two readers: text with links for people, raw values for programs. A table is a list of fields over rows. */
import type { CorrelationValue } from '../scaling/index.ts';
import { correlationText, estimateText, NONE } from './numbers.ts';
import type { Estimate } from './results.ts';

export type Raw = string | number | null;

export interface Cell {
  readonly text: string;
  /** One value a CSV column. */
  readonly raw: readonly Raw[];
  /** Names of the steps that made it: the cell then links to them. */
  readonly steps?: readonly string[];
}

export interface TableColumn {
  readonly label: string;
  /** Names of its CSV columns. */
  readonly csv: readonly string[];
  readonly numeric: boolean;
}

export interface StudyTable {
  /** Name of its CSV file, and its anchor. */
  readonly id: string;
  readonly title: string;
  readonly note?: string;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A column with what it shows of a row. */
export interface Field<Row> extends TableColumn {
  readonly cell: (row: Row) => Cell;
}

export function tableOf<Row>(
  head: Pick<StudyTable, 'id' | 'title' | 'note'>,
  fields: readonly Field<Row>[],
  rows: readonly Row[],
): StudyTable {
  const columns = fields.map(({ label, csv, numeric }) => ({ label, csv, numeric }));
  return { ...head, columns, rows: rows.map(row => fields.map(field => field.cell(row))) };
}

type Value<Row, T> = (row: Row) => T | null | undefined;

/** Makers of the fields of rows of one kind. */
export function fieldsOf<Row>() {
  const words = (label: string, csv: string, text: (row: Row) => string): Field<Row> => ({
    label,
    csv: [csv],
    numeric: false,
    cell: row => ({ text: text(row), raw: [text(row)] }),
  });
  /** A number, or nothing where there is none; `write` says how people read it. */
  const figure = (
    label: string,
    csv: string,
    value: Value<Row, number>,
    write: (value: number) => string,
  ): Field<Row> => ({
    label,
    csv: [csv],
    numeric: true,
    cell: row => {
      const found = value(row) ?? null;
      return { text: found === null ? NONE : write(found), raw: [found] };
    },
  });
  /** A number with its interval: three CSV columns. */
  const bounded = <T extends { value: number; low: number | null; high: number | null }>(
    label: string,
    csv: string,
    value: Value<Row, T>,
    write: (value: T) => string,
  ): Field<Row> => ({
    label,
    csv: [csv, `${csv}_low`, `${csv}_high`],
    numeric: true,
    cell: row => {
      const found = value(row);
      if (!found) return { text: NONE, raw: [null, null, null] };
      return { text: write(found), raw: [found.value, found.low, found.high] };
    },
  });
  /** Names of the steps that made a row. */
  const madeBy = (csv: string, steps: (row: Row) => readonly string[]): Field<Row> => ({
    label: 'provenance',
    csv: [csv],
    numeric: false,
    cell: row => ({ text: steps(row).join(', '), raw: [steps(row).join(' ')], steps: steps(row) }),
  });
  return {
    words,
    figure,
    bounded,
    madeBy,
    estimated: (label: string, csv: string, value: Value<Row, Estimate>) =>
      bounded(label, csv, value, estimateText),
    correlated: (label: string, csv: string, value: Value<Row, CorrelationValue>) =>
      bounded(label, csv, value, correlationText),
  };
}
