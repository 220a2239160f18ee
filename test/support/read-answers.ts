import type { EventEmitter } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { BadAnswer } from '../../src/upstream/answer-head.ts';
import { AnswerReader } from '../../src/upstream/answer-reader.ts';

/** What somebody made of an answer's bytes. */
export interface Reading {
  /** `open`: it is not complete, and nothing is wrong with it. */
  readonly end: 'complete' | 'bad' | 'open';
  /** 0: no head came. */
  readonly status: number;
  /** Names in lower case and values, in turn. */
  readonly fields: readonly string[];
  readonly body: Buffer;
}

export interface GatewayReading extends Reading {
  /** Whether its connection may carry another. */
  readonly reusable: boolean;
}

/** What the gateway makes of an answer whose connection ends behind it. */
export function readByGateway(method: string, pieces: readonly Buffer[]): GatewayReading {
  let end: Reading['end'] = 'open';
  let head: { status: number; fields: string[] } = { status: 0, fields: [] };
  const body: Buffer[] = [];
  const reader = new AnswerReader({
    head: (status, fields) => (head = { status, fields }),
    piece: (bytes) => void body.push(bytes),
    end: () => (end = 'complete'),
  });
  reader.expect(method);
  try {
    for (const piece of pieces) reader.read(piece);
  } catch (error) {
    if (!(error instanceof BadAnswer)) throw error;
    end = 'bad';
  }
  const { reusable } = reader;
  if (end === 'open') reader.close();
  return { ...head, end, body: Buffer.concat(body), reusable };
}

export interface NodeReading extends Reading {
  /** Why it is bad; '' where it is not. */
  readonly reason: string;
}

/** What node's own client makes of it. */
export async function readByNode(method: string, pieces: readonly Buffer[]): Promise<NodeReading> {
  const reading = { end: 'open' as Reading['end'], status: 0, fields: [] as string[], reason: '' };
  const body: Buffer[] = [];
  const request = http.request({ method, createConnection: () => new Answering(pieces) });
  const closed = [closing(request)];
  request.on('response', (answer: IncomingMessage) => {
    closed.push(closing(answer));
    reading.status = answer.statusCode ?? 0;
    reading.fields = answer.rawHeaders.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text));
    answer.on('data', (piece: Buffer) => body.push(piece));
    answer.on('error', () => undefined); // that it is incomplete is seen by `complete`
    answer.on('close', () => {
      if (answer.complete) reading.end = 'complete';
    });
  });
  request.on('upgrade', (_answer, socket) => socket.destroy());
  request.on('error', (error: Error & { reason?: string }) => {
    if (reading.end === 'open') reading.end = 'bad';
    reading.reason = error.reason ?? error.message;
  });
  request.end();
  while (closed.length > 0) await closed.shift();
  return { ...reading, body: Buffer.concat(body) };
}

function closing(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => emitter.once('close', resolve));
}

/** A connection to somebody who answers whatever he is asked with these pieces, and closes. */
class Answering extends Duplex {
  readonly #pieces: readonly Buffer[];
  #answered = false;

  constructor(pieces: readonly Buffer[]) {
    super();
    this.#pieces = pieces;
  }

  override _read(): void {
    // Everything is there once the request has come.
  }

  override _write(_request: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
    if (this.#answered) return;
    this.#answered = true;
    for (const piece of this.#pieces) if (piece.length > 0) this.push(piece);
    this.push(null);
  }
}
