import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import busboy from 'busboy';
import { inTurns, TURN } from '../in-turns.ts';
import { lengthOf, type Pieces } from '../pieces.ts';
import { withoutKeys } from '../key-forms.ts';
import { isJson, isMultipart } from './content-type.ts';
import { JsonScanner } from './json-scanner.ts';

/** Longer names are nobody's models; the ledger has a row for each name. Characters. */
const MAX_LENGTH = 100;
/** A member that is larger is no model's name. Bytes. */
const MAX_MEMBER = 1_000;

/**
 * Finds the top-level `model` of a JSON body as its pieces pass by. What is no JSON simply has no model: to say so is
 * the provider's part.
 */
export class ModelFinder {
  #found: string | undefined;
  #tail: Buffer = Buffer.alloc(0);
  #tailStart = 0;
  #fed = 0;
  #done = false;
  readonly #scanner: JsonScanner = new JsonScanner(({ key, start, end }) => {
    if (key !== 'model') return;
    this.#found = nameFrom(this.#tail.toString('utf8', start - this.#tailStart, end - this.#tailStart));
    this.#done = true;
    this.#scanner.stop();
  });

  /** The name, once it has passed. */
  get model(): string | undefined {
    return this.#found;
  }

  /** Whether nothing more can be found. */
  get done(): boolean {
    return this.#done;
  }

  feed(piece: Buffer): void {
    if (this.#done) return;
    const kept = this.#tail.subarray(Math.max(0, this.#tail.length - MAX_MEMBER));
    this.#tail = kept.length === 0 ? piece : Buffer.concat([kept, piece]);
    this.#tailStart = this.#fed - kept.length;
    this.#fed += piece.length;
    try {
      this.#scanner.feed(piece);
    } catch {
      this.#done = true;
    }
  }
}

/**
 * Watches a multipart upload pass for its `model` field, without holding its files.
 * @param onEnd told when there is nothing more to find
 */
export function watchMultipartModel(
  headers: IncomingHttpHeaders,
  upload: Readable,
  onModel: (model: string) => void,
  onEnd?: () => void,
): void {
  try {
    const parser = busboy({ headers, limits: { fieldSize: MAX_MEMBER, fieldNameSize: 100 } });
    parser.on('file', (_name, file) => file.resume());
    parser.on('field', (name, value) => {
      if (name === 'model') onModel(cleaned(value));
    });
    // A form that is cut short or malformed is the provider's to refuse.
    parser.on('error', () => {
      upload.unpipe(parser);
      onEnd?.();
    });
    parser.on('close', () => onEnd?.());
    upload.pipe(parser);
  } catch {
    // No boundary in the content type: nothing to find.
    onEnd?.();
  }
}

/** The model that a whole body names; '' where there is none. At once where the body is JSON of one turn. */
export function modelOf(body: Pieces, headers: IncomingHttpHeaders): string | Promise<string> {
  const contentType = headers['content-type'];
  if (isJson(contentType)) return modelOfJson(body);
  if (!isMultipart(contentType)) return '';
  return new Promise((resolve) => {
    let model = '';
    const found = (name: string): void => void (model = name);
    watchMultipartModel(headers, Readable.from(body), found, () => resolve(model));
  });
}

/** The same of what is known to be JSON. */
export function modelOfJson(body: Pieces): string | Promise<string> {
  const first = firstMember(body[0]);
  if (first !== undefined) return first;
  const finder = new ModelFinder();
  const name = (): string => finder.model ?? '';
  if (lengthOf(body) > TURN) return inTurns(body, (piece) => finder.feed(piece), finder).then(name);
  for (const piece of body) finder.feed(piece);
  return name();
}

/** Most who write JSON name the model first. The first `model` is the one that counts, here as for the scanner. */
const MODEL_FIRST = /^\s*\{\s*"model"\s*:\s*"([\w.:@/-]{1,32})"\s*[,}]/;
/** Bytes; what may be in front of it has no bound. */
const MODEL_FIRST_WITHIN = 64;

/** Names that were met before: a name of its own for each request would keep each request's text in memory. */
const names = new Map<string, string>();
const MOST_NAMES = 1_000;

function firstMember(piece: Buffer | undefined): string | undefined {
  const [, name] = MODEL_FIRST.exec(piece?.toString('latin1', 0, MODEL_FIRST_WITHIN) ?? '') ?? [];
  if (name === undefined) return undefined;
  const known = names.get(name);
  if (known !== undefined) return known;
  const copy = Buffer.from(name, 'latin1').toString('latin1');
  if (names.size < MOST_NAMES) names.set(copy, copy);
  return copy;
}

/** A name as most are, with nothing to decode in it, and shorter than any key. */
const PLAIN_NAME = /^"[\w.:@/-]{1,32}"$/;

function nameFrom(json: string): string | undefined {
  if (PLAIN_NAME.test(json)) return json.slice(1, -1);
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? cleaned(value) : undefined;
  } catch {
    return undefined;
  }
}

/** Printable ASCII, as the providers' model names are; the rest could not be told apart in a table. And never a key. */
function cleaned(name: string): string {
  return withoutKeys(name)
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, MAX_LENGTH);
}
