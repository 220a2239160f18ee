import Table from 'cli-table3';
import type { Spread } from '../statistics.ts';

/** One measured figure, for people. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  /** Undefined where this machine cannot tell. */
  readonly value: Spread | undefined;
}

/** Figures as a table, for a terminal. */
export function figureTable(figures: readonly Figure[]): string {
  const table = new Table({
    head: ['', 'median', 'least–most', ''],
    colAligns: ['left', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const { what, unit, value } of figures) {
    const range =
      value === undefined || value.min === value.max ? '' : `${shown(value.min)}–${shown(value.max)}`;
    table.push([what, value === undefined ? '–' : shown(value.median), range, unit]);
  }
  return table.toString();
}

function shown(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });
}
