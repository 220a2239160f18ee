/** How the simulator should treat one request; `undefined` fields mean: as a healthy provider would. */
export interface Behaviour {
  /** Answer with this status: 3xx with a Location, 4xx and 5xx in the provider's error format. */
  status?: number;
  /** Retry-After in seconds, on whatever is answered (a simulated 429 has 1 by default). */
  retryAfter?: number;
  /** Where a simulated 3xx points. */
  location?: string;
  /** Milliseconds before the response's headers. */
  delay?: number;
  /** Milliseconds between two events of a stream. */
  chunkDelay?: number;
  /** Number of delta events; the text is repeated or cut to fit. */
  chunks?: number;
  /** Size of each delta's text, in bytes. */
  chunkBytes?: number;
  /** When the connection is destroyed: reset before the headers, closed at the other points. */
  die?: 'before-headers' | 'after-headers' | 'mid-stream' | 'mid-json';
  /** When the response stops for good, with the connection left open. */
  hang?: 'before-headers' | 'mid-stream';
  /** A stream stops in its middle until this is settled. */
  until?: Promise<unknown>;
  /** Answer as soon as the headers are in, without reading the request's body. */
  earlyResponse?: boolean;
  /** End the (chunked) response with trailers. */
  trailers?: boolean;
  /** More response headers; they replace the simulator's own of that name, save Set-Cookie. */
  headers?: readonly (readonly [name: string, value: string])[];
  /** false: no chunked framing (a stream then ends with the connection); true: no Content-Length. */
  chunked?: boolean;
  /** Send `Connection: close` and close the connection after the response. */
  close?: boolean;
}

/** Who says what one request gets: a fixed behaviour, or a function of the request. */
export type BehaviourSource<Request> = Behaviour | ((request: Request) => Behaviour | undefined) | undefined;

/** The request header that carries directives, e.g. `x-simulate: status=429, retry-after=7`. */
export const SIMULATE_HEADER = 'x-simulate';

const NUMBERS = {
  status: 'status',
  'retry-after': 'retryAfter',
  delay: 'delay',
  'chunk-delay': 'chunkDelay',
  chunks: 'chunks',
  'chunk-bytes': 'chunkBytes',
} as const;

const FLAGS = {
  'early-response': 'earlyResponse',
  trailers: 'trailers',
  chunked: 'chunked',
  close: 'close',
} as const;

const DEATHS = ['before-headers', 'after-headers', 'mid-stream', 'mid-json'] as const;
const HANGS = ['before-headers', 'mid-stream'] as const;

/**
 * Reads `key=value, key, header:NAME=VALUE` directives. Values are percent-decoded, so that `%2C` is a comma.
 * Throws on a directive that it does not know: a typo in a test must not pass for a healthy provider.
 */
export function parseDirectives(text: string): Behaviour {
  const behaviour: Behaviour = {};
  for (const part of text.split(',')) {
    const directive = part.trim();
    if (directive === '') continue;
    const equals = directive.indexOf('=');
    const key = equals === -1 ? directive : directive.slice(0, equals).trim();
    const value = equals === -1 ? undefined : decodeURIComponent(directive.slice(equals + 1).trim());
    applyDirective(behaviour, key, value);
  }
  return behaviour;
}

function applyDirective(behaviour: Behaviour, key: string, value: string | undefined): void {
  if (isKeyOf(NUMBERS, key)) {
    behaviour[NUMBERS[key]] = toNumber(key, value);
  } else if (isKeyOf(FLAGS, key)) {
    behaviour[FLAGS[key]] = value !== 'false';
  } else if (key === 'die') {
    behaviour.die = oneOf(key, value, DEATHS);
  } else if (key === 'hang') {
    behaviour.hang = oneOf(key, value, HANGS);
  } else if (key === 'location') {
    behaviour.location = value ?? '/';
  } else if (key.startsWith('header:')) {
    behaviour.headers = [...(behaviour.headers ?? []), [key.slice('header:'.length), value ?? '']];
  } else {
    throw new Error(`unknown ${SIMULATE_HEADER} directive "${key}"`);
  }
}

function isKeyOf<T extends object>(table: T, key: string): key is Extract<keyof T, string> {
  return Object.hasOwn(table, key);
}

function toNumber(key: string, value: string | undefined): number {
  const number = Number(value);
  if (value === undefined || value === '' || !Number.isFinite(number) || number < 0) {
    throw new Error(`${SIMULATE_HEADER} directive "${key}" takes a number, not "${value ?? ''}"`);
  }
  return number;
}

function oneOf<T extends string>(key: string, value: string | undefined, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) {
    throw new Error(
      `${SIMULATE_HEADER} directive "${key}" takes ${choices.join(', ')}, not "${value ?? ''}"`,
    );
  }
  return choice;
}
