import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonScanner, JsonSyntaxError, type Member } from '../../src/upstream/json-scanner.ts';
import { randomDocument } from '../support/random-json.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const DOCUMENTS = 10_000;

function scan(pieces: readonly Buffer[]): Member[] | JsonSyntaxError {
  const members: Member[] = [];
  const scanner = new JsonScanner((member) => members.push(member));
  try {
    for (const piece of pieces) scanner.feed(piece);
    scanner.end();
    return members;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error;
    throw error;
  }
}

/** Every string made an empty one: what is left is the structure, and JSON.parse judges it. */
function withoutStrings(text: string): string {
  return text.replace(/"(?:[^"\\]|\\[^])*"/g, '""');
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function damaged(random: SeededRandom, bytes: Buffer): Buffer {
  const at = random.int(bytes.length + 1);
  const noise = Buffer.from(
    random.pick(['"', '\\', '{', '}', '[', ']', ',', ':', '0', 'e', 't', ' ', '\x00', 'é']),
  );
  switch (random.int(4)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.int(3))]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
    default:
      return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at + 1)]);
  }
}

describe('the scanner never cuts a malformed document wrong', () => {
  const random = new SeededRandom(seedOfRun());

  it(`in ${DOCUMENTS} damaged documents it refuses, or every value is whole (TEST_SEED=${random.seed})`, () => {
    let refused = 0;
    let accepted = 0;
    for (let count = 0; count < DOCUMENTS; count += 1) {
      const bytes = damaged(random, Buffer.from(randomDocument(random).text));
      // The gateway refuses what is no UTF-8 before it scans; in latin1 an offset is an index.
      const text = bytes.toString('latin1');
      const found = scan(random.pieces(bytes, 5));
      const context = JSON.stringify(text);
      if (found instanceof JsonSyntaxError) {
        refused += 1;
        assert.ok(!parses(text) || !text.trim().startsWith('{'), `refused although valid: ${context}`);
        continue;
      }
      accepted += 1;
      assert.ok(parses(withoutStrings(text)), `accepted: ${context}`);
      let rest = text;
      for (const { start, end } of found.toReversed()) {
        assert.ok(parses(withoutStrings(text.slice(start, end))), `cut wrong: ${context}`);
        rest = `${rest.slice(0, start)}0${rest.slice(end)}`;
      }
      // With each value replaced by a number, nothing but a flat object may be left.
      assert.match(withoutStrings(rest).replaceAll(/\s/g, ''), /^\{(?:"":0(?:,"":0)*)?\}$/, context);
    }
    assert.ok(
      refused > DOCUMENTS / 4 && accepted > DOCUMENTS / 20,
      `${refused} refused, ${accepted} accepted`,
    );
  });

  for (const [name, text] of Object.entries({
    'an array': '[]',
    'a string': '"proxy_key"',
    null: 'null',
    'a number': '1',
    nothing: '',
    'white space': ' \n',
    'a byte order mark': '\ufeff{}',
    'an unknown literal': '{"a":nul}',
    'a number with a leading zero': '{"a":01}',
    'a number that ends too early': '{"a":1e}',
    NaN: '{"a":NaN}',
    'a comma behind the last member': '{"a":1,}',
    'a comma behind the last item': '{"a":[1,]}',
    'a missing comma': '{"a":1 "b":2}',
    'a missing colon': '{"a" 1}',
    'a name without quotes': '{a:1}',
    'a name in single quotes': "{'a':1}",
    'a comment': '{/**/"a":1}',
    'brackets that do not match': '{"a":[1}]',
    'an object in an object': '{"a":1}{"a":2}',
    'text behind the end': '{"a":1}x',
    'a NUL behind the end': '{"a":1}\0',
    'a form feed as space': '{"a":\f1}',
    'a bad escape in a name': '{"\\x":1}',
    'an unfinished escape in a name': '{"\\u00":1}',
    'an unfinished string': '{"a":"b',
    'an escaped last quote': '{"a":"b\\"}',
  })) {
    it(`refuses ${name}`, () => {
      assert.ok(scan([Buffer.from(text)]) instanceof JsonSyntaxError);
    });
  }

  it('refuses what is nested 10,000 deep, and takes what is nested 900 deep', () => {
    const nested = (depth: number): Buffer => Buffer.from(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`);
    assert.ok(scan([nested(10_000)]) instanceof JsonSyntaxError);
    assert.ok(Array.isArray(scan([nested(900)])));
  });
});
