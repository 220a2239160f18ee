import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { eventually } from './eventually.ts';
import type { TestDevice, TestGateway } from './gateway.ts';
import { PATIENCE, rawPost } from './raw-http.ts';
import type { RecordedRequest, Simulator } from './simulator/simulator.ts';

/** Where the chat completions of these tests go. */
export const CHAT_PATH = '/proxy/openai/v1/chat/completions';

/** The two forms of a proxied request (contract §4). */
export const FORMS = ['drop-in', 'envelope'] as const;
export type Form = (typeof FORMS)[number];

/** What the contract allows between the end of one side and that of the other. Milliseconds. */
export const PROMPTLY = 100;

export interface ChatOptions {
  form?: Form;
  /** Directives for the simulator, such as `hang=mid-stream`. */
  simulate?: string;
  stream?: boolean;
  prompt?: string;
}

/** The parts of a chat request in either form, for `fetch` or a raw socket. */
export function chat(
  device: TestDevice,
  { form = 'drop-in', simulate, stream = false, prompt = 'Hello' }: ChatOptions = {},
): { headers: Record<string, string>; body: string } {
  const body = { model: 'gpt-4o', messages: [{ role: 'user', content: prompt }], ...(stream && { stream }) };
  return {
    headers: {
      'content-type': 'application/json',
      ...(form === 'drop-in' && { authorization: `Bearer ${device.proxyKey}` }),
      ...(simulate !== undefined && { 'x-simulate': simulate }),
    },
    body: JSON.stringify(
      form === 'drop-in' ? body : { proxy_key: device.proxyKey, provider: 'openai', body },
    ),
  };
}

/** The same as the bytes of an HTTP/1.1 request. */
export function chatBytes(device: TestDevice, options: ChatOptions = {}): Buffer {
  const { headers, body } = chat(device, options);
  return rawPost(
    CHAT_PATH,
    Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    body,
  );
}

/** Sends a chat request and answers as soon as the head is there. */
export function fetchChat(
  gateway: Pick<TestGateway, 'url'>,
  device: TestDevice,
  options: ChatOptions & { signal?: AbortSignal } = {},
): Promise<Response> {
  const { signal, ...rest } = options;
  return fetch(gateway.url + CHAT_PATH, {
    method: 'POST',
    ...chat(device, rest),
    ...(signal !== undefined && { signal }),
  });
}

/** Today's and this month's count of a license, as the admin API shows it. */
export async function usageOf(
  gateway: TestGateway,
  { licenseId }: TestDevice,
): Promise<{ today: number; this_month: number }> {
  const { body } = await gateway.admin(`/licenses/${licenseId}`);
  return (body as unknown as { license: { usage: { today: number; this_month: number } } }).license.usage;
}

/** The next request that the simulator receives from now on. */
export function nextRequest(simulator: Simulator): Promise<RecordedRequest> {
  const seen = new Set(simulator.requests);
  return simulator.waitForRequest((request) => !seen.has(request), PATIENCE);
}

/** A TCP connection to an HTTP server, for tests that need the socket itself. */
export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => undefined); // a reset is what some tests wait for
  await once(socket, 'connect');
  socket.setNoDelay(true);
  return socket;
}

/** A provider that a test plays by hand. */
export interface OwnProvider {
  readonly url: string;
  close(): Promise<void>;
}

/** A provider that answers HTTP requests as the listener says. */
export function startProvider(onRequest: RequestListener): Promise<OwnProvider> {
  return listenAs(http.createServer(onRequest));
}

/** A provider that is given bare connections. */
export function startRawProvider(onConnection: (socket: Socket) => void): Promise<OwnProvider> {
  return listenAs(net.createServer(onConnection));
}

async function listenAs(server: net.Server): Promise<OwnProvider> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Holds every call of one of the admission's methods back while a test looks around. */
export async function whileHeld(
  { gateway }: TestGateway,
  method: 'admit' | 'settle',
  look: (held: { asked: Promise<void>; release: () => void }) => Promise<void>,
): Promise<void> {
  const { admission } = gateway;
  const original = admission[method].bind(admission) as (...args: unknown[]) => Promise<unknown>;
  const asked = Promise.withResolvers<undefined>();
  const released = Promise.withResolvers<undefined>();
  const held = async (...args: unknown[]): Promise<unknown> => {
    asked.resolve(undefined);
    await released.promise;
    return original(...args);
  };
  Object.assign(admission, { [method]: held });
  try {
    await look({ asked: asked.promise.then(() => undefined), release: () => released.resolve(undefined) });
  } finally {
    // Whatever went wrong, nobody must wait for ever.
    released.resolve(undefined);
    Object.assign(admission, { [method]: original });
  }
}

/** Waits until neither the provider nor the gateway has a request under way. */
export async function assertNothingOpen(gateway: TestGateway): Promise<void> {
  await eventually(async () => {
    assert.equal(gateway.simulator.openRequests(), 0, 'requests are open at the provider');
    assert.equal(metricValue(await gateway.metrics(), 'licensify_open_requests'), 0);
  }, PATIENCE);
}

/** The value of a metric without labels. */
export function metricValue(metrics: string, name: string): number {
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1];
  if (value === undefined) throw new Error(`there is no metric ${name}`);
  return Number(value);
}

let collect: (() => void) | undefined;

/** What of the heap and of external memory is in use, after a full collection. Bytes. */
export function memoryInUse(): number {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  // The second one takes what finalizers of the first let go.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export const MEGABYTE = 1_048_576;

/** Bytes as megabytes, for a figure that is printed. */
export function inMegabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}

/** The middle one of several measurements: a machine under load delays single ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Measurements as they are printed: `median 3, worst 17 ms of 12`. */
export function inMilliseconds(values: readonly number[]): string {
  return `median ${median(values).toFixed(0)}, worst ${Math.max(...values).toFixed(0)} ms of ${values.length}`;
}

/** Waits until a number that grows has stopped growing for half a second, and answers it. */
export async function stops(measure: () => number): Promise<number> {
  let last = NaN;
  let since = performance.now();
  const deadline = since + 2 * PATIENCE;
  for (;;) {
    const now = performance.now();
    const value = measure();
    if (value !== last) since = now;
    if (value > 0 && now - since > 500) return value;
    if (now > deadline) throw new Error(`it grows and grows: ${last}, ${value}`);
    last = value;
    await sleep(20);
  }
}
