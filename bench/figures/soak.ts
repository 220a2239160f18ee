import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { contenderOf } from '../contenders.ts';
import type { LoadRequest } from '../load/load.ts';
import { readStream, type Manner, type StreamResult } from '../load/streams.ts';
import { settledCount } from '../measure.ts';
import { cpuMs, residentMb } from '../proc.ts';
import { startRig, type Rig } from '../rig.ts';
import { selectRow } from '../rows.ts';
import { connectionsTo } from '../sockets.ts';
import { spreadOf } from '../statistics.ts';
import type { Figure } from './figure.ts';
import type { Bench } from './figures.ts';
import { readMetric } from './metrics.ts';

const LOAD = 0.7;
/** Streams last: as many as it takes until something is busy all the time. */
const CLIENTS = 256;
const CALIBRATION_MS = 5_000;
const TICK_MS = 10;
/** A machine that is busy otherwise may not keep up: no more than so many requests are under way. */
const MOST_UNDER_WAY = 500;
const SAMPLE_EVERY_MS = 1_000;
/** Idle connections to the provider may be kept for a while. */
const SOCKETS_CLOSED_WITHIN_MS = 90_000;
const LAG = 'nodejs_eventloop_lag_p99_seconds';

/** One kind of request of the mixture. */
interface Kind {
  readonly manner: Manner;
  readonly request: LoadRequest;
  readonly isExpected: (result: StreamResult) => boolean;
}

/** Steady load for some minutes (1 by default), of which one request in ten goes wrong on one side or the other. */
export async function soakFigures({ context, pinning, options }: Bench): Promise<Figure[]> {
  const minutes = Number(options[0] ?? 1);
  if (!(minutes > 0)) throw new Error(`soak takes a number of minutes, not "${options[0]}"`);
  const rig = await startRig({ context, pinning });
  const agent = new http.Agent({ keepAlive: true });
  const requests = new Requests(kindsOf(rig), agent);
  const capacity = await calibrate(requests);
  console.error(`${Math.round(capacity)} requests/s at most; ${minutes} min at ${LOAD * 100} % of it`);
  await readMetric(rig.gateway, LAG); // Node's histogram starts anew at each reading
  const memory: number[] = [];
  const { sent } = requests;
  const cpuBefore = cpuMs(rig.gateway.pid) ?? 0;
  const seconds = await runSteadily(requests, { perSecond: capacity * LOAD, minutes, rig, memory });
  const busy = ((cpuMs(rig.gateway.pid) ?? 0) - cpuBefore) / (seconds * 1_000);
  const lag = await readMetric(rig.gateway, LAG);
  const perSecond = (requests.sent - sent) / seconds;
  await requests.over();
  agent.destroy();
  const left = await socketsLeft(rig);
  requests.check();
  const used = await settledCount(rig);
  if (used < requests.answered || used > requests.sent)
    throw new Error(`${used} requests were counted, ${requests.sent} sent, ${requests.answered} answered`);
  if (left !== undefined && left > 0) throw new Error(`${left} connections to the provider were left open`);
  const one = (what: string, unit: string, value: number | undefined): Figure => {
    return { what, unit, value: value === undefined ? undefined : spreadOf([value]) };
  };
  const third = Math.floor(memory.length / 3);
  return [
    one('requests', '/s', perSecond),
    one("part of the gateway's core", '%', busy * 100),
    { what: 'memory, first third', unit: 'MB', value: spreadOf(memory.slice(0, third)) },
    { what: 'memory, last third', unit: 'MB', value: spreadOf(memory.slice(-third)) },
    one("event-loop delay, p99, Node's sampling of 10 ms included (promised: 20)", 'ms', lag * 1_000),
    one('connections to the provider left open', '', left),
  ];
}

/** Of twenty: one client leaves its stream, one provider dies in the middle of one, another before its answer. */
function kindsOf(rig: Rig): Kind[] {
  const json = contenderOf(rig, selectRow('json'), 'gateway').request;
  const stream = contenderOf(rig, selectRow('stream'), 'gateway').request;
  const simulating = ({ headers, ...request }: LoadRequest, simulate: string): LoadRequest => {
    return { ...request, headers: { ...headers, 'x-simulate': simulate } };
  };
  const events = 'chunks=10,chunk-delay=20';
  const whole = ({ status, ended }: StreamResult): boolean => status === 200 && ended;
  const broken = ({ status, ended, hung }: StreamResult): boolean => status === 200 && !ended && !hung;
  // Here, too, a client that is late may find the whole answer in its first piece.
  const left = ({ status }: StreamResult): boolean => status === 200;
  const refused = ({ status }: StreamResult): boolean => status === 502;
  const good: Kind = { manner: 'reads', request: json, isExpected: whole };
  const streamed: Kind = { manner: 'reads', request: simulating(stream, events), isExpected: whole };
  return [
    { manner: 'leaves', request: simulating(stream, 'chunks=50,chunk-delay=20'), isExpected: left },
    { ...streamed, request: simulating(stream, `${events},die=mid-stream`), isExpected: broken },
    { ...good, request: simulating(json, 'die=before-headers'), isExpected: refused },
    ...[streamed, streamed],
    ...Array.from({ length: 15 }, () => good),
  ];
}

class Requests {
  sent = 0;
  answered = 0;
  readonly #kinds: readonly Kind[];
  readonly #agent: http.Agent;
  readonly #underWay = new Set<Promise<void>>();
  readonly #unexpected: StreamResult[] = [];

  constructor(kinds: readonly Kind[], agent: http.Agent) {
    this.#kinds = kinds;
    this.#agent = agent;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Sends the next of the mixture. */
  send(): Promise<void> {
    const kind = this.#kinds[this.sent % this.#kinds.length];
    if (kind === undefined) throw new RangeError('a mixture of nothing');
    const { manner, request, isExpected } = kind;
    this.sent += 1;
    const sending = readStream(request, manner, { agent: this.#agent }).then((result) => {
      if (result.status === 200) this.answered += 1;
      if (!isExpected(result)) this.#unexpected.push(result);
      this.#underWay.delete(sending);
    });
    this.#underWay.add(sending);
    return sending;
  }

  async over(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** @throws Error if an answer was not what its request asked for */
  check(): void {
    const [first] = this.#unexpected;
    if (first === undefined) return;
    const count = `${this.#unexpected.length} of ${this.sent} requests`;
    throw new Error(`${count} were not answered as they should have been, such as ${JSON.stringify(first)}`);
  }
}

/** Requests a second when each client sends one after the other. */
async function calibrate(requests: Requests): Promise<number> {
  const { sent } = requests;
  const began = performance.now();
  const work = async (): Promise<void> => {
    while (performance.now() < began + CALIBRATION_MS) await requests.send();
  };
  await Promise.all(Array.from({ length: CLIENTS }, work));
  return ((requests.sent - sent) * 1_000) / (performance.now() - began);
}

/** Sends at that rate, whatever the answers do, and notes the gateway's memory. Returns the seconds that it took. */
async function runSteadily(
  requests: Requests,
  options: { perSecond: number; minutes: number; rig: Rig; memory: number[] },
): Promise<number> {
  const { perSecond, minutes, rig, memory } = options;
  const began = performance.now();
  let due = 0;
  for (let last = began; last < began + minutes * 60_000;) {
    await sleep(TICK_MS);
    const now = performance.now();
    due += ((now - last) * perSecond) / 1_000;
    last = now;
    for (; due >= 1; due -= 1) if (requests.underWay < MOST_UNDER_WAY) void requests.send();
    const elapsed = now - began;
    if (elapsed > memory.length * SAMPLE_EVERY_MS) memory.push(residentMb(rig.gateway.pid) ?? 0);
  }
  return (performance.now() - began) / 1_000;
}

async function socketsLeft({ gateway, simulator }: Rig): Promise<number | undefined> {
  const port = Number(new URL(simulator.url).port);
  const deadline = Date.now() + SOCKETS_CLOSED_WITHIN_MS;
  for (;;) {
    const left = connectionsTo(gateway.pid, port);
    if (left === undefined || left === 0 || Date.now() > deadline) return left;
    await sleep(500);
  }
}
