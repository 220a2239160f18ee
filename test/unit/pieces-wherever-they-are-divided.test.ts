import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import { keyChecksum } from '../../src/key-forms.ts';
import { areUtf8, cut, joined, lengthOf, PieceCollector, type Pieces } from '../../src/pieces.ts';
import { readEnvelope } from '../../src/upstream/envelope.ts';
import { KeySearch } from '../../src/upstream/key-search.ts';

/** All ways to divide bytes into three pieces, the empty ones included. */
function* divisions(bytes: Buffer): Generator<Pieces> {
  for (let one = 0; one <= bytes.length; one += 1) {
    for (let two = one; two <= bytes.length; two += 1)
      yield [bytes.subarray(0, one), bytes.subarray(one, two), bytes.subarray(two)];
  }
}

describe('bytes in pieces are what they are in one', () => {
  it('UTF-8, or not', () => {
    const valid = ['aé€😀z', '😀😀', 'é'].map((text) => Buffer.from(text));
    const invalid = [
      'f09f98',
      '80',
      'c3',
      'e282',
      'c328',
      'eda080',
      'f8888080',
      'c080',
      'e28228',
      '61f09f9861',
    ];
    for (const bytes of [...valid, ...invalid.map((hex) => Buffer.from(hex, 'hex'))]) {
      for (const pieces of divisions(bytes)) {
        assert.equal(areUtf8(pieces), isUtf8(bytes), pieces.map((piece) => piece.toString('hex')).join(' '));
      }
      assert.equal(areUtf8([...bytes].map((byte) => Buffer.from([byte]))), isUtf8(bytes));
    }
    assert.ok(areUtf8([]));
  });

  it('any part of them', () => {
    const bytes = Buffer.from('0123456789');
    for (const pieces of divisions(bytes)) {
      assert.equal(lengthOf(pieces), bytes.length);
      for (let start = 0; start <= bytes.length; start += 1) {
        for (let end = start; end <= bytes.length; end += 3)
          assert.deepEqual(joined(cut(pieces, start, end)), bytes.subarray(start, end));
      }
    }
  });

  it('a proxy key in them is found', () => {
    const [own = '', others = ''] = ['A', 'b'].map((letter) => {
      const begun = `px_${letter.repeat(34)}`;
      return begun + keyChecksum(begun);
    });
    const keys = new KeySearch(own);
    for (const key of [own, others]) {
      const bytes = Buffer.from(`"x ${key} y"`);
      for (const pieces of divisions(bytes)) assert.ok(keys.inPieces(pieces));
      assert.ok(keys.inPieces([...bytes].map((byte) => Buffer.from([byte]))));
    }
    const without = Buffer.from(`px_px_${own.slice(0, -1)}-`);
    for (const pieces of divisions(without)) assert.ok(!keys.inPieces(pieces));
  });

  it('an envelope in them is read, and its body is cut out byte for byte', async () => {
    const body = '{"model":"gpt-4o","messages":[{"content":"\\"é\\\\ 😀"}]}';
    const raw = Buffer.from(
      `{"proxy_key":"px_k\\u0031","provider":"openai","body": ${body} ,"hardware_id":"é"}`,
    );
    for (let size = 1; size <= raw.length; size += 1) {
      const pieces = [];
      for (let at = 0; at < raw.length; at += size) pieces.push(raw.subarray(at, at + size));
      const read = await readEnvelope(pieces);
      assert.ok(read.ok);
      assert.equal(joined(read.envelope.body).toString(), body);
      const { proxyKey, provider, hardwareId, model } = read.envelope;
      assert.deepEqual([proxyKey, provider, hardwareId, model], ['px_k1', 'openai', 'é', 'gpt-4o']);
    }
  });
});

it('small pieces are put together: a body in chunks of a byte takes little more than its bytes', () => {
  // As node's parser hands them out: parts of what was read from the socket, which each of them holds on to.
  const read = Buffer.alloc(65_536, 'x');
  for (const size of [1, 7, 100, 8_191]) {
    const collector = new PieceCollector();
    for (let at = 0; at < 1_000_000; at += size) collector.add(read.subarray(0, size));
    const pieces = collector.take();
    assert.equal(lengthOf(pieces), collector.length);
    const held = new Set(pieces.map(({ buffer }) => buffer));
    const bytes = [...held].reduce((sum, { byteLength }) => sum + byteLength, 0);
    assert.ok(
      pieces.length < 40 && bytes < 2 * collector.length,
      `${pieces.length} pieces hold ${bytes} bytes`,
    );
  }
});

it('pieces of all sizes are collected in their order', () => {
  const collector = new PieceCollector();
  const sizes = [1, 1, 20_000, 3, 8_192, 0, 5, 5, 70_000, 60_000, 2];
  const pieces = sizes.map((size, index) => Buffer.alloc(size, String.fromCharCode(97 + index)));
  for (const piece of pieces) collector.add(piece);
  assert.deepEqual(joined(collector.take()), Buffer.concat(pieces));
  const [alone] = pieces;
  assert.ok(alone);
  const one = new PieceCollector();
  one.add(alone);
  assert.equal(one.take()[0], alone, 'what is alone is not copied');
});
