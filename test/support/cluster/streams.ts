import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDevice } from '../gateway.ts';
import { OPENAI_KEY, type Simulator } from '../simulator/simulator.ts';
import { CHAT_PATH } from '../streams.ts';
import { LICENSE_HEADER } from './load.ts';

/** Between two events of a stream. Milliseconds. */
const EVENT_EVERY = 50;

const BODY = JSON.stringify({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'Tell me something long' }],
  stream: true,
});

/** What became of one streamed answer. Times are those of `performance.now()`. */
export interface StreamOutcome {
  readonly status: number;
  /** What the client received. */
  readonly body: string;
  /** The connection broke off, or could not be had. */
  readonly error: string | undefined;
  readonly beganAt: number;
  readonly endedAt: number;
}

/** A streamed answer under way. */
export interface LongStream {
  /** Resolves with the status when the head is there, 0 if none comes. */
  readonly opened: Promise<number>;
  /** Never rejects. */
  readonly over: Promise<StreamOutcome>;
  isOpen(): boolean;
  /** Leaves it, as a client does that has enough. */
  leave(): void;
}

/** Asks for a stream that lasts about so long, on a connection of its own. */
export function openLongStream(url: string, device: TestDevice, seconds: number): LongStream {
  const beganAt = performance.now();
  const opened = Promise.withResolvers<number>();
  const over = Promise.withResolvers<StreamOutcome>();
  let status = 0;
  let body = '';
  let open = true;
  const end = (error?: string): void => {
    open = false;
    opened.resolve(status);
    over.resolve({ status, body, error, beganAt, endedAt: performance.now() });
  };
  const request = http.request(url + CHAT_PATH, {
    agent: false,
    method: 'POST',
    headers: {
      authorization: `Bearer ${device.proxyKey}`,
      'content-type': 'application/json',
      'content-length': BODY.length,
      [LICENSE_HEADER]: device.licenseId,
      'x-simulate': `chunks=${eventsIn(seconds)}, chunk-delay=${EVENT_EVERY}`,
    },
  });
  request.on('error', (error) => end(error.message));
  request.once('response', (response) => {
    status = response.statusCode ?? 0;
    opened.resolve(status);
    response.setEncoding('utf8').on('data', (piece: string) => (body += piece));
    response.once('end', () => end());
    response.once('error', (error) => end(error.message));
  });
  request.end(BODY);
  return { opened: opened.promise, over: over.promise, isOpen: () => open, leave: () => request.destroy() };
}

/** What a stream of that length has to be, to the byte: as the provider itself gives it out. */
export async function wholeStream(simulator: Simulator, seconds: number): Promise<string> {
  const request = http.request(`${simulator.url}/v1/chat/completions`, {
    agent: false,
    method: 'POST',
    headers: {
      authorization: `Bearer ${OPENAI_KEY}`,
      'content-type': 'application/json',
      'content-length': BODY.length,
      'x-simulate': `chunks=${eventsIn(seconds)}`,
    },
  });
  request.end(BODY);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return text(response);
}

/** Streams that follow each other until they are stopped. */
export interface StreamLoad {
  /** Those that are over. */
  readonly outcomes: readonly StreamOutcome[];
  /** Lets the last ones end, and returns all. */
  stop(): Promise<readonly StreamOutcome[]>;
}

/** Keeps so many streams open at a time, each on a connection of its own. */
export function startStreamLoad(options: {
  url: string;
  device: TestDevice;
  atATime: number;
  seconds: number;
}): StreamLoad {
  const { url, device, atATime, seconds } = options;
  const outcomes: StreamOutcome[] = [];
  let stopping = false;
  const work = async (worker: number): Promise<void> => {
    await sleep((worker * seconds * 1_000) / atATime); // so that they do not all end together
    while (!stopping) outcomes.push(await openLongStream(url, device, seconds).over);
  };
  const working = Promise.all(Array.from({ length: atATime }, (_, worker) => work(worker)));
  return {
    outcomes,
    async stop() {
      stopping = true;
      await working;
      return outcomes;
    },
  };
}

function eventsIn(seconds: number): number {
  return Math.round((seconds * 1_000) / EVENT_EVERY);
}
