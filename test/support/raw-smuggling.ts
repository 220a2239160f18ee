import { CHAT } from './raw-stage.ts';

/** One attempt to make one request look like two, or two servers disagree about where one ends. */
export interface Attempt {
  readonly name: string;
  /** The header lines behind Host and the credential; without the empty line. */
  readonly headers: readonly string[];
  /** What follows the empty line. */
  readonly body: string;
  /** Replaces `POST … HTTP/1.1`. */
  readonly requestLine?: string;
}

/** What would be smuggled: a call that no proxy key may make, recognizable wherever it turns up. */
export const SMUGGLED = 'GET /v1/files?smuggled HTTP/1.1\r\nHost: provider.test\r\nX-Smuggled: 1\r\n\r\n';
/** The same as a call to the gateway, which must never be read out of another request's body. */
export const SMUGGLED_CALL = SMUGGLED.replace('/v1/files', '/proxy/openai/v1/files');

const TARGET = '/proxy/openai/v1/chat/completions';
export const POST_LINE = `POST ${TARGET} HTTP/1.1`;

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const CHUNKS = `${chunk(CHAT)}0\r\n\r\n`;
const CHUNKED = 'Transfer-Encoding: chunked';

/** Transfer codings that servers read differently; each comes beside a length that covers what is smuggled. */
const codings = {
  'a coding that is not quite chunked': 'Transfer-Encoding: xchunked',
  'a space before the colon': 'Transfer-Encoding : chunked',
  'a tab before the colon': 'Transfer-Encoding\t: chunked',
  'two fields, the second unknown': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
  'two fields, the first unknown': 'Transfer-Encoding: x\r\nTransfer-Encoding: chunked',
  'chunked, then identity': 'Transfer-Encoding: chunked, identity',
  identity: 'Transfer-Encoding: identity',
  'an empty coding': 'Transfer-Encoding:',
  'a parameter': 'Transfer-Encoding: chunked;q=1',
  quotes: 'Transfer-Encoding: "chunked"',
  'a vertical tab': 'Transfer-Encoding: \x0bchunked',
  'a NUL behind it': 'Transfer-Encoding: chunked\0',
  'a NUL in the name': 'Transfer\0-Encoding: chunked',
  'a byte beyond ASCII in the name': 'Transfer-Encoding\xa0: chunked',
  'a folded value': 'Transfer-Encoding:\r\n chunked',
  'a folded field before it': 'X-Fold: a\r\n Transfer-Encoding: chunked',
  'a bare LF before it': 'X-Line: a\nTransfer-Encoding: chunked',
  'a bare CR before it': 'X-Line: a\rTransfer-Encoding: chunked',
  'another coding below it': 'Transfer-Encoding: gzip, chunked',
  'chunked twice': 'Transfer-Encoding: chunked, chunked',
  'chunked twice, in two fields': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'a plain one': CHUNKED,
} as const;

const lengths = {
  'a plus sign': '+65',
  'a minus sign': '-65',
  'a hexadecimal length': '0x41',
  'a length in exponent form': '65e0',
  'a fraction': '65.0',
  'a list of equal lengths': '65, 65',
  'a list of two lengths': '65, 5',
  'two numbers': '6 5',
  'a length with a NUL': '65\0',
  'a length with an underscore': '6_5',
  'a length in other digits': '\xef\xbc\x96\xef\xbc\x95',
  'no length at all': '',
  'a length beyond 64 bits': '184467440737095516165',
} as const;

const chunkings = {
  'a size that is no number': `zz\r\n${CHAT}\r\n0\r\n\r\n`,
  'a size with a sign': `+41\r\n${CHAT}\r\n0\r\n\r\n`,
  'a size with 0x': `0x41\r\n${CHAT}\r\n0\r\n\r\n`,
  'a size with an underscore': `4_1\r\n${CHAT}\r\n0\r\n\r\n`,
  'an empty size': `\r\n${CHAT}\r\n0\r\n\r\n`,
  'a size beyond 64 bits': `10000000000000041\r\n${CHAT}\r\n0\r\n\r\n`,
  'a size that ends in LF': `41\n${CHAT}\r\n0\r\n\r\n`,
  'a chunk that ends in LF': `41\r\n${CHAT}\n0\r\n\r\n`,
  'a chunk longer than its size': `5\r\n${CHAT}\r\n0\r\n\r\n`,
  'an extension with a bare LF': `41;a\nb\r\n${CHAT}\r\n0\r\n\r\n`,
  'an extension with a bare CR': `41;a\rb\r\n${CHAT}\r\n0\r\n\r\n`,
  'an extension with a NUL': `41;a\0b\r\n${CHAT}\r\n0\r\n\r\n`,
  'a last chunk that ends in LF': `41\r\n${CHAT}\r\n0\n\n`,
  'a trailer that is a request line': `41\r\n${CHAT}\r\n0\r\n${SMUGGLED}`,
} as const;

const heads = {
  'a folded field': 'X-Fold: a\r\n b',
  'a folded field with a tab': 'X-Fold: a\r\n\tb',
  'a NUL in a value': 'X-Nul: a\0b',
  'a NUL in a name': 'X-N\0ul: a',
  'a bare LF between fields': 'X-A: a\nX-B: b',
  'a bare CR between fields': 'X-A: a\rX-B: b',
  'a request line in a value': 'X-A: a\r\r\nGET /v1/files?smuggled HTTP/1.1',
  'a line without a colon': 'GET /v1/files?smuggled HTTP/1.1',
  'a name with a space': 'X A: a',
  'no name': ': a',
  'a control character in a value': 'X-A: a\x01b',
  'DEL in a value': 'X-A: a\x7fb',
} as const;

const requestLines = {
  'a tab for a space': `POST\t${TARGET}\tHTTP/1.1`,
  'two versions': `POST ${TARGET} HTTP/1.1 HTTP/1.1`,
  'a lower-case method': `post ${TARGET} HTTP/1.1`,
  'an unknown method': `SMUGGLE ${TARGET} HTTP/1.1`,
  'a NUL in the target': `POST ${TARGET}\0 HTTP/1.1`,
  'a bare CR in the target': `POST ${TARGET}\r HTTP/1.1`,
  'an unknown version': `POST ${TARGET} HTTP/1.2`,
  'another protocol': `POST ${TARGET} ICY/1.1`,
} as const;

function* entriesOf<T>(table: Record<string, T>): Generator<[name: string, value: T]> {
  yield* Object.entries(table);
}

/** Attempts that are no valid HTTP: refused, the connection closed, nothing upstream but what was begun before. */
export function* refusedAttempts(): Generator<Attempt> {
  const smuggling = `0\r\n\r\n${SMUGGLED_CALL}`;
  for (const [name, coding] of entriesOf(codings)) {
    yield {
      name: `TE and CL: ${name}`,
      headers: [coding, `Content-Length: ${smuggling.length}`],
      body: smuggling,
    };
    yield {
      name: `CL and TE: ${name}`,
      headers: [`Content-Length: ${smuggling.length}`, coding],
      body: smuggling,
    };
  }
  for (const [name, coding] of entriesOf(codings)) {
    const isFramed = coding.endsWith('chunked') && /(?:gzip|: x)/.test(coding);
    if (coding === CHUNKED || isFramed) continue;
    yield { name: `TE alone: ${name}`, headers: [coding], body: smuggling };
  }
  for (const [name, length] of entriesOf(lengths)) {
    yield { name: `CL: ${name}`, headers: [`Content-Length: ${length}`], body: CHAT + SMUGGLED_CALL };
  }
  for (const second of ['65', '5', '0']) {
    const headers = ['Content-Length: 65', `Content-Length: ${second}`];
    yield { name: `two lengths, 65 and ${second}`, headers, body: CHAT + SMUGGLED_CALL };
  }
  for (const [name, body] of entriesOf(chunkings)) {
    yield { name: `chunks: ${name}`, headers: [CHUNKED], body: body + SMUGGLED_CALL };
  }
  for (const [name, line] of entriesOf(heads)) {
    yield { name: `head: ${name}`, headers: [line, 'Content-Length: 65'], body: CHAT };
  }
  for (const [name, requestLine] of entriesOf(requestLines)) {
    yield { name: `request line: ${name}`, requestLine, headers: ['Content-Length: 65'], body: CHAT };
  }
}

/** Codings that are framed well, but what is in the frame is not what it seems. */
export const unknownCodings = [
  codings['another coding below it'],
  codings['two fields, the first unknown'],
  'Transfer-Encoding: identity, chunked',
];

/** Attempts that are valid HTTP, if odd: one request each, its body read as the standard has it. */
export function* acceptedAttempts(): Generator<Attempt> {
  const valid: Record<string, Pick<Attempt, 'headers' | 'body'>> = {
    'chunk extensions': {
      headers: [CHUNKED],
      body: `41;a;b="c;d";Content-Length=5\r\n${CHAT}\r\n0;last\r\n\r\n`,
    },
    'a size with leading zeros': { headers: [CHUNKED], body: `00000041\r\n${CHAT}\r\n000\r\n\r\n` },
    'many small chunks': { headers: [CHUNKED], body: `${Array.from(CHAT, chunk).join('')}0\r\n\r\n` },
    'a tab before the coding': { headers: ['Transfer-Encoding:\tchunked'], body: CHUNKS },
    'the coding in capitals': { headers: ['TRANSFER-ENCODING: CHUNKED'], body: CHUNKS },
    'trailers that claim a framing': {
      headers: [CHUNKED],
      body: `${chunk(CHAT)}0\r\nX-Content-Length: 500\r\nHost: evil.test\r\n\r\n`,
    },
    'a header like a framing, but not one': {
      headers: ['Transfer_Encoding: chunked', 'Content_Length: 5', 'Content-Length: 65'],
      body: CHAT,
    },
    'a length in spaces': { headers: ['Content-Length:   65  '], body: CHAT },
    'a method that is to be overridden': {
      headers: ['X-HTTP-Method-Override: DELETE', 'X-Original-URL: /v1/files', 'Content-Length: 65'],
      body: CHAT,
    },
  };
  for (const [name, attempt] of entriesOf(valid)) yield { name, ...attempt };
}
