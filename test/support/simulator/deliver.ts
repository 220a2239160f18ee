import type { ServerResponse } from 'node:http';
import type { Behaviour } from './behaviour.ts';
import type { Exchange } from './recorder.ts';
import type { Reply, StreamedBody } from './reply.ts';

interface Delivery {
  readonly response: ServerResponse;
  readonly exchange: Exchange;
  readonly behaviour: Behaviour;
}

/** Sends a reply the way the behaviour wants it: whole, slow, in part, or not at all. */
export async function deliver(reply: Reply, headers: string[], delivery: Delivery): Promise<void> {
  const { response, behaviour } = delivery;
  if (behaviour.delay !== undefined && !(await pause(behaviour.delay, response))) return;
  if (response.destroyed || behaviour.hang === 'before-headers') return;
  if (behaviour.die === 'before-headers') {
    kill(delivery, true);
    return;
  }
  writeHead(reply, headers, delivery);
  if (behaviour.die === 'after-headers') {
    response.flushHeaders();
    // Long enough for the headers to leave, so that the client sees them before the end.
    if (await pause(20, response)) kill(delivery);
    return;
  }
  const { body } = reply;
  const complete = Buffer.isBuffer(body) ? await sendWhole(body, delivery) : await sendStream(body, delivery);
  if (!complete) return;
  if (behaviour.trailers === true) response.addTrailers({ 'x-simulated-trailer': 'the end' });
  response.end();
}

/** The short way for a healthy, plain answer. */
export function deliverPlain(status: number, headers: string[], body: Buffer, delivery: Delivery): void {
  delivery.exchange.bytesWritten += body.length;
  delivery.response.writeHead(status, headers).end(body);
}

function writeHead(reply: Reply, headers: string[], { response, behaviour }: Delivery): void {
  const all = [...headers];
  const { body } = reply;
  const whole = Buffer.isBuffer(body);
  if (whole && behaviour.chunked !== true && behaviour.trailers !== true) {
    all.push('Content-Length', String(body.length));
  }
  // Without either framing the body ends where the connection does.
  if (!whole && behaviour.chunked === false) {
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
  }
  if (behaviour.trailers === true) all.push('Trailer', 'x-simulated-trailer');
  if (behaviour.close === true) all.push('Connection', 'close');
  for (const [name, value] of behaviour.headers ?? []) {
    if (name.toLowerCase() !== 'set-cookie') dropHeader(all, name);
    all.push(name, value);
  }
  response.writeHead(reply.status, all);
}

function dropHeader(headers: string[], name: string): void {
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if (headers[index]?.toLowerCase() === name.toLowerCase()) headers.splice(index, 2);
  }
}

async function sendWhole(body: Buffer, delivery: Delivery): Promise<boolean> {
  const { die, hang } = delivery.behaviour;
  if (die === undefined && hang === undefined) return send(body, delivery);
  if (!(await send(body.subarray(0, Math.floor(body.length / 2)), delivery))) return false;
  if (hang === undefined && (await pause(20, delivery.response))) kill(delivery);
  return false;
}

/** Sends the events one by one and waits whenever the reader is slower. False when it did not get to the end. */
async function sendStream(body: StreamedBody, delivery: Delivery): Promise<boolean> {
  const { chunkDelay, die, hang, until } = delivery.behaviour;
  const half = Math.floor(body.deltas.count / 2);
  const stops = die !== undefined || hang !== undefined;
  for (const event of body.head) {
    if (!(await send(event, delivery))) return false;
  }
  let sent = 0;
  for (const event of body.deltas) {
    if (stops && sent >= half) break;
    if (sent === half) await until;
    if (sent > 0 && chunkDelay !== undefined && !(await pause(chunkDelay, delivery.response))) return false;
    if (!(await send(event, delivery))) return false;
    sent += 1;
  }
  if (stops) {
    if (hang === undefined && (await pause(20, delivery.response))) kill(delivery);
    return false;
  }
  for (const event of body.tail()) {
    if (!(await send(event, delivery))) return false;
  }
  return true;
}

/** Hands a piece to the socket; resolves when it takes more, to false when the client has gone. */
async function send(piece: string | Buffer, { response, exchange }: Delivery): Promise<boolean> {
  if (response.destroyed) return false;
  exchange.bytesWritten += Buffer.byteLength(piece);
  if (response.write(piece)) return true;
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off('drain', settle);
      response.off('close', settle);
      resolve(!response.destroyed);
    };
    response.on('drain', settle);
    response.on('close', settle);
  });
}

/** Waits, unless the client goes away first: then the timer is gone too, and the answer is false. */
function pause(ms: number, response: ServerResponse): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const gone = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      response.off('close', gone);
      resolve(true);
    }, ms);
    response.once('close', gone);
  });
}

function kill({ response, exchange }: Delivery, reset = false): void {
  exchange.killed = true;
  if (reset) response.socket?.resetAndDestroy();
  else response.socket?.destroy();
}
