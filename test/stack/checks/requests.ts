import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';
import { text } from 'node:stream/consumers';
import { eventually } from '../../support/eventually.ts';
import { LICENSE_HEADER } from '../../support/cluster/load.ts';
import { openLongStream } from '../../support/cluster/streams.ts';
import { CHAT_PATH } from '../../support/streams.ts';
import type { TestDevice } from '../../support/gateway.ts';
import { figure, since } from '../figures.ts';
import type { World } from '../world.ts';
import { assertExact } from './accounts.ts';

const EVENTS = 20;
const EVENT_EVERY = 100;
/** The contract allows 100 ms with an idle machine and without a load balancer. Milliseconds. */
const ABORT_LIMIT = 1_000;

/** The parts of a chat completion for the simulated provider. */
export function chat(
  device: TestDevice,
  simulate?: string,
): { headers: Record<string, string>; body: string } {
  return {
    headers: {
      authorization: `Bearer ${device.proxyKey}`,
      'content-type': 'application/json',
      [LICENSE_HEADER]: device.licenseId,
      ...(simulate !== undefined && { 'x-simulate': simulate }),
    },
    body: JSON.stringify({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: simulate?.includes('chunk') ?? false,
    }),
  };
}

/** Plain and streamed, each counted once; the pieces of a stream arrive when they are sent, not together. */
export async function requestsAndStreamsPass(world: World): Promise<void> {
  const { stack, customers } = world;
  const { devices, licenseId } = await customers.add({ tier: 'enterprise' });
  const [device] = devices;
  const plain = await fetch(stack.url + CHAT_PATH, { method: 'POST', ...chat(device) });
  assert.equal(plain.status, 200);
  assert.match(await plain.text(), /"object":\s*"chat\.completion"/);

  const streamed = await fetch(stack.url + CHAT_PATH, {
    method: 'POST',
    ...chat(device, `chunks=${EVENTS}, chunk-delay=${EVENT_EVERY}`),
  });
  assert.equal(streamed.status, 200);
  assert.ok(streamed.body);
  const arrivals: number[] = [];
  let body = '';
  for await (const piece of streamed.body) {
    arrivals.push(performance.now());
    body += Buffer.from(piece).toString();
  }
  assert.match(body, /data: \[DONE\]\n\n$/);
  const gaps = arrivals.slice(1).map((at, index) => at - (arrivals[index] ?? at));
  const spread = (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0);
  figure(
    `${EVENTS} events ${EVENT_EVERY} ms apart: pieces, from first to last`,
    `${arrivals.length}, ${spread.toFixed(0)} ms`,
  );
  figure('longest gap between two pieces', `${Math.max(...gaps).toFixed(0)} ms`);
  assert.ok(arrivals.length >= EVENTS, 'pieces were held back and arrived together');
  assert.ok(spread >= (EVENTS - 2) * EVENT_EVERY * 0.9, 'the stream was held back');
  await assertExact(world, licenseId, 2);
}

/** A client that goes away ends the request at the provider, through HAProxy and the gateway. */
export async function abortReachesTheProvider({ stack, customers }: World): Promise<void> {
  const { devices } = await customers.add({ tier: 'enterprise' });
  const stream = openLongStream(stack.url, devices[0], 60);
  assert.equal(await stream.opened, 200);
  const before = (await stack.seen()).abortedAt.length;
  const leftAt = Date.now();
  stream.leave();
  const aborted = await eventually(async () => {
    const at = (await stack.seen()).abortedAt[before];
    assert.ok(at !== undefined, 'the provider still sends');
    return at;
  }, 10_000);
  figure('client gone mid-stream: closed at the provider after', `${aborted - leftAt} ms`);
  assert.ok(aborted - leftAt < ABORT_LIMIT);

  // Before any byte of the answer, where nothing that is written fails.
  const waiting = new AbortController();
  const request = fetch(stack.url + CHAT_PATH, {
    method: 'POST',
    ...chat(devices[0], 'delay=60000'),
    signal: waiting.signal,
  }).catch(() => undefined);
  await eventually(async () => assert.equal((await stack.seen()).openRequests, 1), 10_000);
  const gaveUpAt = Date.now();
  waiting.abort();
  await request;
  const closed = await eventually(async () => {
    const at = (await stack.seen()).abortedAt[before + 1];
    assert.ok(at !== undefined, 'the provider still works');
    return at;
  }, 10_000);
  figure('client gone before the answer: closed at the provider after', `${closed - gaveUpAt} ms`);
  assert.ok(closed - gaveUpAt < ABORT_LIMIT);
}

/** HTTP/2 in the clear, with prior knowledge: requests side by side on one connection. */
export async function http2Works(world: World): Promise<void> {
  const { devices, licenseId } = await world.customers.add({ tier: 'enterprise' });
  const session = connect(world.stack.url);
  const began = performance.now();
  const answers = await sideBySide(session, devices[0], 10);
  figure('10 requests of 300 ms on one HTTP/2 connection take', `${since(began)} ms`);
  assert.deepEqual(new Set(answers), new Set([200]));
  assert.ok(since(began) < 2_500, 'they came one after the other');
  session.close();
  await assertExact(world, licenseId, 10);
}

/** The statuses of so many requests on one connection, each of which the provider takes 300 ms for. */
export async function sideBySide(
  session: ClientHttp2Session,
  device: TestDevice,
  count: number,
): Promise<number[]> {
  const send = async (): Promise<number> => {
    const { headers, body } = chat(device, 'delay=300');
    const request = session.request({ ':method': 'POST', ':path': CHAT_PATH, ...headers });
    request.end(body);
    const [head] = (await once(request, 'response')) as [{ ':status'?: number }];
    await text(request);
    return head[':status'] ?? 0;
  };
  return await Promise.all(Array.from({ length: count }, send));
}
