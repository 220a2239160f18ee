import type { IncomingMessage } from 'node:http';
import { ModelFinder, watchMultipartModel } from './model.ts';

export const BODY_TOO_LARGE = 'too-large';
export const BODY_HOLDS_KEY = 'holds-key';

/**
 * Watches the body of a drop-in request pass: that it keeps to its limit, that the proxy key does not go to the
 * provider inside it, and which model it names. It holds nothing back.
 */
export class BodyWatch {
  readonly #key: Buffer;
  readonly #maxBytes: number;
  readonly #finder: ModelFinder | undefined;
  #model = '';
  #passed = 0;
  /** How many of the bytes to come have been looked at already. */
  #ahead = 0;
  /** The end of the piece before, where a key may have begun. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(contentType: string | undefined, proxyKey: string, maxBytes: number) {
    this.#key = Buffer.from(proxyKey, 'latin1');
    this.#maxBytes = maxBytes;
    if (isJson(contentType)) this.#finder = new ModelFinder();
  }

  /** To be called when the body is about to be piped, and not before: it lets the body flow. */
  begin(request: IncomingMessage): void {
    if (isMultipart(request.headers['content-type']))
      watchMultipartModel(request, (model) => (this.#model = model));
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

  /** What is wrong with the body, now that this piece came; undefined where nothing is. */
  inspect(piece: Buffer): typeof BODY_TOO_LARGE | typeof BODY_HOLDS_KEY | undefined {
    this.#passed += piece.length;
    if (this.#passed > this.#maxBytes) return BODY_TOO_LARGE;
    if (this.#holdsKey(piece)) return BODY_HOLDS_KEY;
    const seen = Math.min(this.#ahead, piece.length);
    this.#ahead -= seen;
    if (seen < piece.length) this.#finder?.feed(piece.subarray(seen));
    return undefined;
  }

  #holdsKey(piece: Buffer): boolean {
    const overlap = this.#key.length - 1;
    if (piece.includes(this.#key)) return true;
    const seam = Buffer.concat([this.#tail, piece.subarray(0, overlap)]);
    this.#tail =
      piece.length >= overlap
        ? piece.subarray(-overlap)
        : Buffer.concat([this.#tail, piece]).subarray(-overlap);
    return seam.length >= this.#key.length && seam.includes(this.#key);
  }
}

/** Whether a content type says JSON. */
export function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/(?:[\w.-]+\+)?json(?:\s*;|\s*$)/i.test(contentType);
}

export function isMultipart(contentType: string | undefined): boolean {
  return contentType?.toLowerCase().startsWith('multipart/') === true;
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
 * end.
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Buffer | 'too-large' | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve('too-large');
  const { promise, resolve } = Promise.withResolvers<Buffer | 'too-large' | undefined>();
  const pieces: Buffer[] = [];
  let length = 0;
  request.on('data', (piece: Buffer) => {
    length += piece.length;
    if (length <= maxBytes) return void pieces.push(piece);
    pieces.length = 0;
    resolve('too-large');
  });
  request.once('end', () => resolve(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)));
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
