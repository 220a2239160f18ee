import type { PeerName } from './peers.ts';

/** Who answers: the simulator itself, others of the field, the bare relay, or the gateway, asked in both of its forms. */
export type ContenderName = 'direct' | PeerName | 'bare' | 'gateway' | 'envelope';

/** One comparison: the same request, by everybody in turn, for some rounds. */
export interface Row {
  /** What selects it: `npm run bench -- json`. */
  readonly name: string;
  readonly title: string;
  readonly contenders: readonly ContenderName[];
  readonly connections: number;
  readonly rounds: number;
  /** Of each slice; whole ones, which is all that wrk takes. */
  readonly seconds: number;
  /** Length of what the user says, in bytes. */
  readonly promptBytes: number;
  /** Set: the answer is a stream of so many events, 20 ms apart, and CPU is reckoned by the event. */
  readonly events?: number;
}

/** The time between two events of a stream, in milliseconds. */
export const EVENT_GAP_MS = 20;

export const rows: readonly Row[] = [
  {
    name: 'json',
    title: 'JSON chat completion, 32 connections',
    contenders: ['direct', 'nginx', 'haproxy', 'portkey', 'bare', 'gateway', 'envelope'],
    connections: 32,
    rounds: 5,
    seconds: 3,
    promptBytes: 200,
  },
  {
    name: 'single',
    title: 'JSON chat completion, 1 connection',
    contenders: ['direct', 'nginx', 'portkey', 'bare', 'gateway'],
    connections: 1,
    rounds: 5,
    seconds: 2,
    promptBytes: 200,
  },
  {
    name: 'large',
    title: 'JSON chat completion, request of 1 MB, 4 connections',
    contenders: ['direct', 'bare', 'gateway', 'envelope'],
    connections: 4,
    rounds: 3,
    seconds: 2,
    promptBytes: 1_048_576,
  },
  {
    name: 'stream',
    title: `SSE stream of 50 events, ${EVENT_GAP_MS} ms apart, 128 connections`,
    contenders: ['direct', 'bare', 'gateway'],
    connections: 128,
    rounds: 3,
    seconds: 3,
    promptBytes: 200,
    events: 50,
  },
];

/** The row of this name. @throws Error that says which there are */
export function selectRow(name: string): Row {
  const row = rows.find((candidate) => candidate.name === name);
  if (row !== undefined) return row;
  throw new Error(`There is no row "${name}". Rows: ${rows.map((candidate) => candidate.name).join(', ')}`);
}
