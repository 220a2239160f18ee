import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BadAnswer } from '../../src/upstream/answer-head.ts';
import { AnswerReader } from '../../src/upstream/answer-reader.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/** What became of the bytes that came on a connection. */
interface Read {
  status: number | undefined;
  fields: string[];
  body: string;
  complete: boolean;
  /** Whether another request may follow on the connection. */
  reusable: boolean;
  refused: boolean;
}

/** @param closes whether the connection ends behind the bytes */
function read(pieces: readonly string[], { closes = false, method = 'POST' } = {}): Read {
  const got: Read = {
    status: undefined,
    fields: [],
    body: '',
    complete: false,
    reusable: false,
    refused: false,
  };
  const reader = new AnswerReader({
    head: (status, fields) => Object.assign(got, { status, fields }),
    piece: (bytes) => void (got.body += bytes.toString('latin1')),
    end: () => void (got.complete = true),
  });
  reader.expect(method);
  try {
    for (const piece of pieces) reader.read(Buffer.from(piece, 'latin1'));
    if (closes) reader.close();
  } catch (error) {
    assert.ok(error instanceof BadAnswer, String(error));
    got.refused = true;
  }
  got.reusable = reader.reusable;
  return got;
}

/** Heads and framing that might be understood in two ways, or in none. */
const refused: Record<string, string> = {
  'a line that ends with a bare LF': 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n',
  'a header that ends with a bare LF': `${OK}A: b\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nab`,
  'a bare CR in a header': `${OK}A: b\rContent-Length: 2\r\n\r\n`,
  'a NUL in a header': `${OK}A: b\0\r\n\r\n`,
  'a header that goes on in the next line': `${OK}A: b\r\n c\r\n\r\n`,
  'a space before the colon': `${OK}Content-Length : 2\r\n\r\nab`,
  'a header without a name': `${OK}: b\r\n\r\n`,
  'a header without a colon': `${OK}Content-Length 2\r\n\r\nab`,
  'no space behind the version': 'HTTP/1.1200 OK\r\n\r\n',
  'another version': 'HTTP/2.0 200 OK\r\n\r\n',
  'a status of four digits': 'HTTP/1.1 2000 OK\r\n\r\n',
  'the same length twice': `${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nab`,
  'a list of lengths': `${OK}Content-Length: 2, 2\r\n\r\nab`,
  'an empty length': `${OK}Content-Length:\r\n\r\n`,
  'a length with a sign': `${OK}Content-Length: +2\r\n\r\nab`,
  'a length in hexadecimal': `${OK}Content-Length: 0x2\r\n\r\nab`,
  'a length beyond all numbers': `${OK}Content-Length: 9007199254740993\r\n\r\n`,
  'a length and chunks': `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'chunks in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'chunks twice': `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'another coding': `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  'a coding that is none': `${OK}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'a chunk without a size': `${CHUNKED}\r\nab\r\n0\r\n\r\n`,
  'a chunk whose size has a sign': `${CHUNKED}+2\r\nab\r\n0\r\n\r\n`,
  'a chunk whose size has 0x': `${CHUNKED}0x2\r\nab\r\n0\r\n\r\n`,
  'a chunk whose size ends with a bare LF': `${CHUNKED}2\nab\r\n0\r\n\r\n`,
  'a chunk that is longer than its size': `${CHUNKED}2\r\nabc\r\n0\r\n\r\n`,
  'a bare LF in an extension': `${CHUNKED}2;a\nb\r\nab\r\n0\r\n\r\n`,
  'an extension without end': `${CHUNKED}2;${'a'.repeat(2_000)}`,
  'trailers without end': `${CHUNKED}0\r\n${'A: b\r\n'.repeat(4_000)}`,
  'a trailer that is no field': `${CHUNKED}0\r\nHTTP/1.1 200 OK\r\n\r\n`,
  'a NUL in a trailer': `${CHUNKED}0\r\nA: \0\r\n\r\n`,
  'a hint that announces a body': `HTTP/1.1 103 Hints\r\nContent-Length: 2\r\n\r\nab${OK}Content-Length: 0\r\n\r\n`,
  'more headers than anybody sends': `${OK}${'A: b\r\n'.repeat(1_001)}Content-Length: 0\r\n\r\n`,
  'a switch of protocols': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
  'an empty line in front': `\r\n${OK}Content-Length: 0\r\n\r\n`,
};

const twoChunks = `${CHUNKED}3\r\nabc\r\n2;x="y z"\r\nde\r\n0\r\nT: u\r\n\r\n`;

/** What is read, with its body, and whether the connection may be used again. */
const sound: Record<string, [bytes: string, body: string, reusable: boolean, closes?: boolean]> = {
  'a length': [`${OK}Content-Length: 5\r\n\r\nabcde`, 'abcde', true],
  'no body': [`${OK}content-length: 0\r\n\r\n`, '', true],
  'chunks, an extension, a trailer': [twoChunks, 'abcde', true],
  'a chunk of many digits': [`${CHUNKED}00005\r\nabcde\r\n0000\r\n\r\n`, 'abcde', true],
  'white space around a value': [`${OK}Content-Length: \t5 \t\r\n\r\nabcde`, 'abcde', true],
  'no reason': ['HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nabcde', 'abcde', true],
  'CHUNKED in capitals': [`${OK}TRANSFER-ENCODING: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n`, 'a', true],
  'Connection: close': [`${OK}Content-Length: 1\r\nConnection: a, Close\r\n\r\na`, 'a', false],
  'HTTP/1.0': ['HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na', 'a', false],
  'HTTP/1.0 that stays': [
    'HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\na',
    'a',
    true,
  ],
  'to the end of the connection': [`${OK}\r\nabcde`, 'abcde', false, true],
  'what nobody has asked for behind it': [`${OK}Content-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\n`, 'a', false],
  'hints in front of it': [`HTTP/1.1 103 Hints\r\nA: b\r\n\r\n${OK}Content-Length: 1\r\n\r\na`, 'a', true],
  '204': ['HTTP/1.1 204 No Content\r\n\r\n', '', true],
  '204 that announces a body': ['HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n', '', false],
  '304 with the length of what it does not send': ['HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\n', '', false],
};

/** Cut short at any byte, these are never complete. */
const endings = [sound['a length'], sound['chunks, an extension, a trailer']].flatMap(
  (row) => row?.[0] ?? [],
);

describe('an answer that two readers might understand differently is none', () => {
  for (const [name, bytes] of Object.entries(refused)) {
    it(name, () => {
      for (const pieces of [[bytes], Array.from(bytes)]) {
        const { refused: wasRefused, complete } = read(pieces);
        assert.deepEqual({ wasRefused, complete }, { wasRefused: true, complete: false });
      }
    });
  }

  for (const [name, [bytes, body, reusable, closes = false]] of Object.entries(sound)) {
    it(`${name}: read, however it is divided`, () => {
      const whole = read([bytes], { closes });
      assert.deepEqual(
        { ...whole, status: undefined, fields: [] },
        { status: undefined, fields: [], body, complete: true, reusable, refused: false },
      );
      assert.deepEqual(read(Array.from(bytes), { closes }), whole);
      for (let at = 1; at < bytes.length; at += 1)
        assert.deepEqual(read([bytes.slice(0, at), bytes.slice(at)], { closes }), whole);
    });
  }

  it('names come in lower case, values as they are, lines of one name apart', () => {
    const { fields } = read([`${OK}X-A: 1\r\nx-a:  2, "3" \r\nOdd: \xe4\r\nContent-Length: 0\r\n\r\n`]);
    assert.deepEqual(fields, ['x-a', '1', 'x-a', '2, "3"', 'odd', '\xe4', 'content-length', '0']);
  });

  it('the answer to a HEAD request has no body, whatever it says', () => {
    const { body, complete, reusable } = read([`${OK}Content-Length: 5\r\n\r\n`], { method: 'HEAD' });
    assert.deepEqual({ body, complete, reusable }, { body: '', complete: true, reusable: true });
  });

  it('cut short at any byte it is not complete', () => {
    for (const bytes of endings)
      for (let length = 0; length < bytes.length; length += 1)
        assert.equal(read([bytes.slice(0, length)], { closes: true }).complete, false);
  });

  it('a head of 16 KB is read, a longer one is refused', () => {
    const head = (length: number): string => `${OK}A: ${'a'.repeat(length)}\r\nContent-Length: 0\r\n\r\n`;
    assert.equal(read([head(16_000)]).complete, true);
    const most = head(16_384 - head(0).length + '\r\n\r\n'.length);
    for (const pieces of [[most], [most.slice(0, -1), most.slice(-1)], Array.from(most)])
      assert.equal(read(pieces).complete, true);
    assert.equal(read([head(17_000)]).refused, true);
    assert.equal(read([head(17_000).slice(0, 16_900)]).refused, true);
  });

  it('what its listener lets go of, it says nothing more of', () => {
    const said: string[] = [];
    const reader: AnswerReader = new AnswerReader({
      head: () => void said.push('head'),
      piece: (bytes) => {
        said.push(bytes.toString());
        reader.stop();
      },
      end: () => void said.push('end'),
    });
    reader.expect('POST');
    reader.read(Buffer.from(twoChunks));
    assert.deepEqual(said, ['head', 'abc']);
    assert.equal(reader.reusable, false);
  });
});
