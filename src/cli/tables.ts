import Table from 'cli-table3';
import type { Terminal } from './terminal.ts';

/** JSON as programs read it, and people can. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.print(JSON.stringify(value, undefined, 2));
}

/** A page of a list, as the admin API answers it. */
export interface Page<Row> {
  data: Row[];
  next_cursor: string | null;
}

/** On standard error, since it is no row. */
export function tellOfMore(terminal: Terminal, page: Page<unknown>): void {
  if (page.next_cursor !== null) terminal.complain(`There are more: --cursor ${page.next_cursor}`);
}

/** Rows under headings: a drawn table for a person, elsewhere columns separated by tabs. */
export function printTable(terminal: Terminal, head: string[], rows: string[][]): void {
  const cells = rows.map((row) => row.map(printable));
  if (!terminal.isInteractive) {
    terminal.print([head, ...cells].map((row) => row.join('\t')).join('\n'));
    return;
  }
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  table.push(...cells);
  terminal.print(table.toString());
}

/** Names and their values, one a line. */
export function printFields(terminal: Terminal, fields: readonly (readonly [string, string])[]): void {
  const width = Math.max(...fields.map(([name]) => name.length));
  const gap = (name: string): string => (terminal.isInteractive ? `${name.padEnd(width)}   ` : `${name}\t`);
  terminal.print(fields.map(([name, value]) => gap(name) + printable(value)).join('\n'));
}

/** A customer's name must not move the cursor, colour the terminal, turn its direction or break a line of columns. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
}
