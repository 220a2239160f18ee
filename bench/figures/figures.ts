import type { RunContext } from '../../test/support/servers/run-context.ts';
import { describeMachine, pinCores, type Pinning } from '../cores.ts';
import type { LoadGenerator } from '../load/load.ts';
import { updateFigures } from '../results-file.ts';
import { activateFigures } from './activate.ts';
import { admissionFigures } from './admission.ts';
import { figureTable, type Figure } from './figure.ts';
import { ledgerFigures } from './ledger.ts';
import { soakFigures } from './soak.ts';
import { streamsFigures } from './streams.ts';
import { twoFigures } from './two.ts';

/** What a program needs to measure. */
export interface Bench {
  readonly context: RunContext;
  readonly pinning: Pinning;
  readonly load: LoadGenerator;
  /** What follows its name on the command line. */
  readonly options: readonly string[];
}

/** A program that measures one thing, and runs only when it is named. */
interface FigureRow {
  readonly name: string;
  readonly usage: string;
  readonly title: string;
  /** @throws Error where something was lost, counted wrongly or left open: figures alone never fail */
  readonly measure: (bench: Bench) => Promise<Figure[]>;
}

export const figureRows: readonly FigureRow[] = [
  {
    name: 'admission',
    usage: 'admission',
    title: 'the admission in Redis alone: decisions a second, CPU of each',
    measure: admissionFigures,
  },
  {
    name: 'activate',
    usage: 'activate',
    title: 'activations a second, p50, p99, CPU of each',
    measure: activateFigures,
  },
  {
    name: 'ledger',
    usage: 'ledger',
    title: 'events folded into PostgreSQL a second; how old they get under load',
    measure: ledgerFigures,
  },
  {
    name: 'streams',
    usage: 'streams [mixed]',
    title:
      '1,000 streams at once through gateway and bare relay; mixed: slow readers, aborts, dying upstreams',
    measure: streamsFigures,
  },
  {
    name: 'two',
    usage: 'two',
    title: 'two gateways behind HAProxy against one',
    measure: twoFigures,
  },
  {
    name: 'soak',
    usage: 'soak [minutes]',
    title: '70 % load with aborts and dying upstreams: memory, event loop, sockets left open',
    measure: soakFigures,
  },
];

/** Their lines of the help. */
export function figureRowsHelp(): string {
  return figureRows
    .map(({ usage, title }) => `${`npm run bench -- ${usage}`.padEnd(31)} ${title}`)
    .join('\n');
}

/** Measures, prints a table and writes the figures into `bench/results/latest.json`. */
export async function printFigures(row: FigureRow, bench: Omit<Bench, 'pinning'>): Promise<void> {
  const at = new Date().toISOString();
  const pinning = pinCores();
  const setup = { machine: describeMachine(), node: process.version, load: bench.load.name };
  console.error(`${row.name}: ${row.title}; ${setup.machine}, ${setup.node}, ${pinning.description}`);
  const figures = await row.measure({ ...bench, pinning });
  console.log(figureTable(figures));
  console.log(
    updateFigures(row.name, { at, ...setup, cores: pinning.description, options: bench.options, figures }),
  );
}
