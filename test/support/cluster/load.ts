import http from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDevice } from '../gateway.ts';
import { CHAT_PATH } from '../streams.ts';
import type { Answer } from './answers.ts';

/** Tells the simulator whose request it is. */
export const LICENSE_HEADER = 'x-test-license';
/** A client's own patience. Milliseconds. */
const CLIENT_TIMEOUT = 30_000;

const BODY = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] });

/** A chat completion that a device asks a gateway or a load balancer for. */
export interface Call {
  readonly url: string;
  readonly device: TestDevice;
  /** Directives for the simulator, such as `delay=200`. */
  readonly simulate?: string;
}

/** Sends calls, so many at a time, over kept-alive connections. The answers come in the order of the calls. */
export async function sendAll(calls: readonly Call[], atATime: number): Promise<Answer[]> {
  const agent = new http.Agent({ keepAlive: true });
  const answers: Answer[] = [];
  const waiting = calls.entries();
  const work = async (): Promise<void> => {
    for (const [index, call] of waiting) answers[index] = await send(call, agent);
  };
  try {
    await Promise.all(Array.from({ length: atATime }, work));
    return answers;
  } finally {
    agent.destroy();
  }
}

export interface LoadOptions {
  /** The call that comes next; the number counts from 0. */
  readonly next: (number: number) => Call;
  /** How many clients there are, each with one request at a time. */
  readonly clients: number;
  /** What each client waits after an answer. Milliseconds. */
  readonly pauseMs?: (number: number) => number;
}

/** Clients that go on until they are stopped. */
export interface Load {
  /** What has been answered so far, in the order of the answers. */
  readonly answers: readonly Answer[];
  /** Requests sent and not answered yet. */
  underWay(): number;
  /** Waits for the requests under way, and returns all answers. */
  stop(): Promise<readonly Answer[]>;
}

/** Starts clients that send one request after the other, each on a kept-alive connection. */
export function startLoad({ next, clients, pauseMs = () => 20 }: LoadOptions): Load {
  const agent = new http.Agent({ keepAlive: true });
  const answers: Answer[] = [];
  let number = 0;
  let underWay = 0;
  const stopping = new AbortController();
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const own = number;
      number += 1;
      underWay += 1;
      answers.push(await send(next(own), agent));
      underWay -= 1;
      await sleep(pauseMs(own), undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const working = Promise.all(Array.from({ length: clients }, work));
  return {
    answers,
    underWay: () => underWay,
    async stop() {
      stopping.abort();
      await working;
      agent.destroy();
      return answers;
    },
  };
}

/** Sends one call and tells what became of it. Never rejects. */
export function send({ url, device, simulate }: Call, agent: http.Agent): Promise<Answer> {
  const beganAt = performance.now();
  const { licenseId } = device;
  return new Promise((resolve) => {
    const request = http.request(url + CHAT_PATH, {
      agent,
      method: 'POST',
      timeout: CLIENT_TIMEOUT,
      headers: {
        authorization: `Bearer ${device.proxyKey}`,
        'content-type': 'application/json',
        'content-length': BODY.length,
        [LICENSE_HEADER]: device.licenseId,
        ...(simulate !== undefined && { 'x-simulate': simulate }),
      },
    });
    request.once('timeout', () =>
      request.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
    );
    request.on('error', (error) => {
      const decidedAt = performance.now();
      resolve({
        licenseId,
        status: 0,
        code: undefined,
        error: codeOf(error),
        remaining: undefined,
        beganAt,
        decidedAt,
      });
    });
    request.once('response', (response) => {
      const { statusCode: status = 0, headers } = response;
      const decidedAt = performance.now();
      const remaining = headers['x-ratelimit-remaining'];
      const common = { licenseId, status, remaining: remaining?.toString(), beganAt, decidedAt };
      text(response).then(
        (body) => resolve({ ...common, code: status === 200 ? undefined : codeIn(body), error: undefined }),
        (error: unknown) => resolve({ ...common, code: undefined, error: codeOf(error) }),
      );
    });
    request.end(BODY);
  });
}

function codeIn(body: string): string | undefined {
  return /"code":\s*"(\w+)"/.exec(body)?.[1];
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
