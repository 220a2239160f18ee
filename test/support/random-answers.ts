import type { SeededRandom } from './seeded-random.ts';

/** An HTTP answer as it goes over the wire, and what it says to whoever reads it right. */
export interface RandomAnswer {
  readonly bytes: Buffer;
  /** Of the request that it answers. */
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly status: number;
  /** Names in lower case and values, in turn. */
  readonly fields: readonly string[];
  readonly body: Buffer;
  /** Its body ends where its connection does. */
  readonly endsWithConnection: boolean;
  /** Whether its connection may carry another. */
  readonly reusable: boolean;
}

type Framing = 'none' | 'length' | 'chunked' | 'to the end';

const methods = ['GET', 'POST', 'POST', 'POST', 'HEAD'] as const;
const statuses = [200, 200, 200, 201, 204, 226, 299, 301, 304, 400, 404, 429, 500, 503, 599, 999] as const;
const reasons = [' OK', ' OK', ' ', '', ' Not  at all\t!', ' S\xf6 l\xe0 l\xe0'] as const;
const names = [
  'Content-Type',
  'X-Request-Id',
  'x',
  "!#$%&'*+-.^_`|~",
  'ETag',
  'Keep-Alive',
  'Set-Cookie',
] as const;
const values = [
  '',
  'a',
  'application/json',
  'timeout=5',
  'a, b;c="d"',
  '\xe4\xff',
  'a\tb',
  'x'.repeat(300),
] as const;
const spaces = ['', ' ', ' ', '\t', ' \t '] as const;
const closing = ['close', 'Close', 'x, close', 'close,keep-alive'] as const;

/** A valid answer (RFC 9112), with all that is allowed and seldom seen. */
export function randomAnswer(random: SeededRandom): RandomAnswer {
  const method = random.pick(methods);
  const status = random.pick(statuses);
  const hasNone = method === 'HEAD' || status === 204 || status === 304;
  const framing: Framing = hasNone
    ? 'none'
    : random.pick(['length', 'length', 'chunked', 'chunked', 'to the end']);
  const body = hasNone ? Buffer.alloc(0) : randomBody(random);
  const option = random.chance(0.3) ? random.pick([...closing, 'keep-alive', 'Keep-Alive', 'x']) : undefined;
  const fields = randomFields(random);
  if (option !== undefined) fields.push(['Connection', option]);
  fields.splice(random.int(fields.length + 1), 0, ...framingFields(random, framing, { method, body }));
  // HTTP/1.0 has no transfer coding.
  const isOld = random.chance(0.1) && !fields.some(([name]) => /^transfer/i.test(name));
  const head = [
    `HTTP/1.${isOld ? 0 : 1} ${status}${random.pick(reasons)}`,
    ...fields.map(fieldLine(random)),
    '',
    '',
  ];
  const informational = random.chance(0.2) ? randomInformation(random) : '';
  const closes = option !== undefined && /close/i.test(option);
  return {
    bytes: Buffer.concat([
      Buffer.from(informational + head.join('\r\n'), 'latin1'),
      framing === 'chunked' ? inChunks(random, body) : body,
    ]),
    method,
    status,
    fields: fields.flatMap(([name, value]) => [name.toLowerCase(), value]),
    body,
    endsWithConnection: framing === 'to the end',
    reusable: framing !== 'to the end' && !closes && (!isOld || /keep-alive/i.test(option ?? '')),
  };
}

function randomBody(random: SeededRandom): Buffer {
  const length = random.pick([0, 1, 2, 30, 30, 300, 300, 9_000]);
  return random.chance(0.5)
    ? random.bytes(length)
    : Buffer.from('HTTP/1.1 200 OK\r\n\r\n0\r\n'.repeat(length / 20 + 1));
}

function randomFields(random: SeededRandom): [name: string, value: string][] {
  return Array.from({ length: random.int(6) }, () => [random.pick(names), random.pick(values)]);
}

function framingFields(
  random: SeededRandom,
  framing: Framing,
  { method, body }: { method: string; body: Buffer },
): [name: string, value: string][] {
  const length = random.pick(['Content-Length', 'content-length', 'CONTENT-LENGTH']);
  const coding = random.pick(['Transfer-Encoding', 'transfer-encoding']);
  switch (framing) {
    case 'length':
      return [[length, `${random.pick(['', '', '000'])}${body.length}`]];
    case 'chunked':
      return [[coding, random.pick(['chunked', 'chunked', 'Chunked'])]];
    case 'to the end':
      return [];
    case 'none':
      // A HEAD's answer says what a GET's would have been.
      return method === 'HEAD' ? random.pick([[], [[length, '77']], [[coding, 'chunked']]]) : [];
  }
}

function fieldLine(random: SeededRandom): (field: readonly [string, string]) => string {
  return ([name, value]) => `${name}:${random.pick(spaces)}${value}${random.pick(spaces)}`;
}

function randomInformation(random: SeededRandom): string {
  const one = (): string =>
    random.pick([
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
      'HTTP/1.1 102\r\n\r\n',
      'HTTP/1.1 199 Odd\r\nX: a\r\n\r\n',
    ]);
  return Array.from({ length: 1 + random.int(3) }, one).join('');
}

const extensions = ['', '', '', ';a', ';a=b', ';a="b c"'] as const;
const trailers = ['', '', '', 'X-End: 1\r\n', 'X-End:\t1\r\nETag: "a"\r\n'] as const;

function inChunks(random: SeededRandom, body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (const chunk of random.pieces(body, 6)) {
    if (chunk.length === 0) continue;
    const digits = chunk.length.toString(16);
    const size = random.pick([digits, digits, digits.toUpperCase(), `000${digits}`]);
    parts.push(Buffer.from(`${size}${random.pick(extensions)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  const last = `${random.pick(['0', '0', '000'])}${random.pick(extensions)}\r\n${random.pick(trailers)}\r\n`;
  return Buffer.concat([...parts, Buffer.from(last)]);
}

/** Bytes that readers of HTTP understand differently. */
const oddBytes = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  '\0',
  ' ',
  '\t',
  '\v',
  '\xa0',
  ':',
  ';',
  ',',
] as const;
const oddWords = ['0', '1', 'f', '-', '+', '0x', 'ffffffffffffffff', ', identity', 'gzip, '] as const;

/** Lines that do, or that contradict others. */
const oddLines = [
  'Content-Length: 0',
  'Content-Length: 3',
  'Content-Length: 3 3',
  'Content-Length: 5, 5',
  'Content-Length: +3',
  'Content-Length: 0x3',
  'Content-Length:',
  'Content-Length : 3',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\vchunked',
  'Transfer-Encoding:\r\n chunked',
  'Connection: upgrade\r\nUpgrade: x',
  'X: a\r\n folded',
  'X: a\rb',
  'X: a\nb',
  'X',
  ': a',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 100 Continue\r\n',
  'HTTP/1.1 101 Switching Protocols\r\n',
  'HTTP/1.1 204 No Content\r\n',
  '0\r\n',
  '3\r\nabc',
  '3 ',
  ' 3',
  '3 ;a',
  '-1',
] as const;

/** An answer with up to three things wrong with it; it may be valid all the same. */
export function mutated(random: SeededRandom, { bytes }: RandomAnswer): Buffer {
  let wrong = bytes;
  for (let left = random.pick([1, 1, 2, 3]); left > 0; left -= 1) wrong = mutatedOnce(random, wrong);
  return wrong;
}

function mutatedOnce(random: SeededRandom, bytes: Buffer): Buffer {
  const at = placeIn(random, bytes);
  const [before, behind] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.int(8)) {
    case 0:
      return Buffer.concat([before, behind.subarray(1 + random.int(3))]);
    case 1:
      return Buffer.concat([before, Buffer.from([random.int(256)]), behind.subarray(1)]);
    case 2:
      return random.chance(0.3) ? before : Buffer.concat([bytes, before]);
    case 3:
      return Buffer.concat([before, before.subarray(placeIn(random, before)), behind]);
    case 4:
      return Buffer.concat([before, Buffer.from(`${random.pick(oddLines)}\r\n`), behind]);
    case 5:
    case 6:
      return withOddFraming(random, bytes);
    default:
      return Buffer.concat([before, Buffer.from(random.pick(oddBytes), 'latin1'), behind]);
  }
}

/** Something is in front of, or behind, a length, a chunk's size or a coding. */
function withOddFraming(random: SeededRandom, bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const words = [...text.matchAll(/(?<=[\n: ])(?:[0-9a-f]+|chunked)(?=[\r;])/gi)];
  const word = words[random.int(words.length)];
  if (word === undefined) return bytes;
  const at = word.index + (random.chance(0.5) ? 0 : word[0].length);
  const odd = random.pick([...oddWords, ...oddBytes]);
  return Buffer.from(text.slice(0, at) + odd + text.slice(at), 'latin1');
}

/** Where a line begins or ends, most of the time. */
function placeIn(random: SeededRandom, bytes: Buffer): number {
  const at = random.int(bytes.length + 1);
  if (random.chance(0.3)) return at;
  const lineEnd = bytes.indexOf('\r\n', random.int(Math.min(bytes.length, 400) + 1));
  if (lineEnd < 0) return at;
  return random.chance(0.7) ? lineEnd + 2 : lineEnd;
}
