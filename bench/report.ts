import Table from 'cli-table3';
import type { Slice } from './measure.ts';
import type { ContenderName, Row } from './rows.ts';
import { pairwise, spreadOf, type Spread } from './statistics.ts';

/** A row's slices, in the order in which they were measured. */
export interface RowResult {
  readonly row: Row;
  readonly slices: readonly Slice[];
}

/** What the table says of one contender. */
export interface Summary {
  readonly row: string;
  readonly contender: ContenderName;
  readonly cpuMsPerThousand: Spread | undefined;
  /** Against the bare relay, paired by round. */
  readonly cpuRatio: Spread | undefined;
  readonly perSecond: Spread | undefined;
  readonly perSecondRatio: Spread | undefined;
  readonly p50: Spread | undefined;
  readonly p99: Spread | undefined;
  /** Milliseconds over direct, paired by round. */
  readonly addedP50: Spread | undefined;
  readonly addedP99: Spread | undefined;
  readonly busy: Spread | undefined;
  readonly residentMb: Spread | undefined;
}

type Figure = Exclude<keyof Slice, 'contender'>;

/** Medians and spreads of a row, for each contender. */
export function summarize({ row, slices }: RowResult): Summary[] {
  const series = (contender: ContenderName, figure: Figure): (number | undefined)[] =>
    slices.filter((slice) => slice.contender === contender).map((slice) => slice[figure]);
  const present = row.contenders.filter((name) => slices.some(({ contender }) => contender === name));
  return present.map((contender) => {
    const own = (figure: Figure): (number | undefined)[] => series(contender, figure);
    const spread = (figure: Figure): Spread | undefined =>
      spreadOf(own(figure).filter((value) => value !== undefined));
    const ratio = (figure: Figure): Spread | undefined =>
      contender === 'direct' ? undefined : pairwise(own(figure), series('bare', figure), (a, b) => a / b);
    const added = (figure: Figure): Spread | undefined =>
      contender === 'direct' ? undefined : pairwise(own(figure), series('direct', figure), (a, b) => a - b);
    return {
      row: row.name,
      contender,
      cpuMsPerThousand: spread('cpuMsPerThousand'),
      cpuRatio: ratio('cpuMsPerThousand'),
      perSecond: spread('perSecond'),
      perSecondRatio: ratio('perSecond'),
      p50: spread('p50'),
      p99: spread('p99'),
      addedP50: added('p50'),
      addedP99: added('p99'),
      busy: spread('busy'),
      residentMb: spread('residentMb'),
    };
  });
}

/** The envelope's CPU against the drop-in's of the same rounds (A5 of the project's speed promises). */
export function envelopeRatio({ slices }: RowResult): Spread | undefined {
  const cpu = (name: ContenderName): (number | undefined)[] =>
    slices.filter(({ contender }) => contender === name).map((slice) => slice.cpuMsPerThousand);
  return pairwise(cpu('envelope'), cpu('gateway'), (envelope, dropIn) => envelope / dropIn);
}

/** The one table, for a terminal. */
export function tableOf(results: readonly RowResult[]): string {
  const table = new Table({
    head: [
      '',
      'CPU ms/1,000',
      '× bare',
      'requests/s',
      '× bare',
      'p50 ms',
      '+ direct',
      'p99 ms',
      '+ direct',
      'MB',
    ],
    colAligns: ['left', ...Array.from({ length: 9 }, () => 'right' as const)],
    style: { head: [], border: [] },
  });
  for (const result of results) {
    const unit = result.row.events === undefined ? '' : ' (CPU for 1,000 events)';
    table.push([{ colSpan: 10, content: `${result.row.name}: ${result.row.title}${unit}` }]);
    for (const of of summarize(result)) {
      table.push([
        `  ${of.contender}`,
        shown(of.cpuMsPerThousand),
        shown(of.cpuRatio, 2),
        shown(of.perSecond, 0),
        shown(of.perSecondRatio, 2),
        shown(of.p50, 2),
        shown(of.addedP50, 2),
        shown(of.p99, 2),
        shown(of.addedP99, 2),
        shown(of.residentMb, 0),
      ]);
    }
    const envelope = envelopeRatio(result);
    if (envelope !== undefined) {
      table.push([
        { colSpan: 10, content: `  envelope, CPU × drop-in: ${shown(envelope, 2).replace('\n', ' ')}` },
      ]);
    }
  }
  return table.toString();
}

/** `78.1`, and below it `75.0–80.2`. */
function shown(spread: Spread | undefined, digits = 1): string {
  if (spread === undefined) return '–';
  const text = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text(spread.median)}\n${text(spread.min)}–${text(spread.max)}`;
}
