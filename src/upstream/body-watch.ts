import type { IncomingMessage } from 'node:http';
import { PieceCollector, type Pieces } from '../pieces.ts';
import { isJson, isMultipart } from './content-type.ts';
import { beginningOfKey, type KeySearch } from './key-search.ts';
import { ModelFinder, watchMultipartModel } from './model.ts';

export const BODY_TOO_LARGE = 'too-large';
export const BODY_HOLDS_KEY = 'holds-key';

const nothing = Buffer.alloc(0);

/**
 * Watches the body of a drop-in request pass: that it keeps to its limit, that no proxy key goes to the provider inside
 * it, and which model it names. It holds nothing back but what may be the beginning of a key.
 */
export class BodyWatch {
  readonly #keys: KeySearch;
  readonly #maxBytes: number;
  readonly #finder: ModelFinder | undefined;
  #model = '';
  #passed = 0;
  /** How many of the bytes to come have been looked at already. */
  #ahead = 0;
  /** The end of the pieces before, where a key may have begun. */
  #held: Buffer = nothing;

  constructor(contentType: string | undefined, keys: KeySearch, maxBytes: number) {
    this.#keys = keys;
    this.#maxBytes = maxBytes;
    if (isJson(contentType)) this.#finder = new ModelFinder();
  }

  /** To be called when the body is about to be piped, and not before: it lets the body flow. */
  begin(request: IncomingMessage): void {
    if (isMultipart(request.headers['content-type']))
      watchMultipartModel(request.headers, request, (model) => (this.#model = model));
  }

  /** Looks at the first piece before it passes, so that its model is known at admission. */
  lookAhead(piece: Buffer): void {
    this.#finder?.feed(piece);
    this.#ahead = piece.length;
  }

  /** '' until it has passed, or where there is none. */
  get model(): string {
    return this.#finder?.model ?? this.#model;
  }

  /** What of the body may pass now that this piece came, or what is wrong with it. */
  take(piece: Buffer): { passes: Buffer } | { objection: typeof BODY_TOO_LARGE | typeof BODY_HOLDS_KEY } {
    this.#passed += piece.length;
    if (this.#passed > this.#maxBytes) return { objection: BODY_TOO_LARGE };
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    if (this.#keys.inBytes(bytes)) return { objection: BODY_HOLDS_KEY };
    const seen = Math.min(this.#ahead, piece.length);
    this.#ahead -= seen;
    if (seen < piece.length) this.#finder?.feed(piece.subarray(seen));
    const end = beginningOfKey(bytes);
    this.#held = bytes.subarray(end);
    return { passes: bytes.subarray(0, end) };
  }

  /** What was held back, once nothing comes any more. */
  rest(): Buffer {
    return this.#held;
  }
}

/** Whether a request's headers announce a body (RFC 9112 §6). */
export function announcesBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * The first piece of a body, left in the request to be read again; undefined where no body comes. It is the whole body
 * nearly always: small ones arrive in the segment of their head.
 */
export async function firstPiece(request: IncomingMessage): Promise<Buffer | undefined> {
  if (!announcesBody(request)) return undefined;
  for (;;) {
    const piece = request.read() as Buffer | null;
    if (piece !== null) {
      request.unshift(piece);
      return piece;
    }
    if (request.readableEnded || request.destroyed) return undefined;
    await nextReadable(request);
  }
}

/**
 * A whole body, or 'too-large' as soon as it is longer than allowed; undefined where the client went away before its
 * end, be it before this was called.
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Pieces | 'too-large' | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve('too-large');
  if (request.readableEnded) return Promise.resolve([]);
  if (request.destroyed) return Promise.resolve(undefined);
  const { promise, resolve } = Promise.withResolvers<Pieces | 'too-large' | undefined>();
  const announced = Number(request.headers['content-length'] ?? NaN);
  let collector: PieceCollector | undefined = new PieceCollector();
  request.on('data', (piece: Buffer) => {
    if (collector === undefined) return;
    collector.add(piece);
    if (collector.length > maxBytes) {
      collector = undefined;
      resolve('too-large');
    } else if (collector.length === announced) {
      // Nothing more can come, and the event that says so comes later.
      resolve(collector.take());
    }
  });
  request.once('end', () => resolve(collector?.take()));
  request.once('close', () => resolve(undefined));
  request.once('error', () => resolve(undefined));
  return promise;
}

function nextReadable(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) request.off(event, done);
      resolve();
    };
    const events = ['readable', 'end', 'close', 'error'] as const;
    for (const event of events) request.on(event, done);
  });
}
