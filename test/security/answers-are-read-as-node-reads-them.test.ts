import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutated, randomAnswer, type RandomAnswer } from '../support/random-answers.ts';
import {
  readByGateway,
  readByNode,
  type GatewayReading,
  type NodeReading,
  type Reading,
} from '../support/read-answers.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';

const ANSWERS = Number(process.env.TEST_FUZZ_ANSWERS ?? 12_000);
/** To read an answer byte by byte takes longer than all else; these many are enough to meet each state's every byte. */
const BYTE_BY_BYTE = 1_000;
const MOST_PIECES = 6;

/** Where node reads otherwise than the RFCs say, which the gateway keeps to. */
const readOtherwise = [
  // RFC 9110 §5.5: a tab behind `chunked` is no part of the coding.
  /transfer-encoding:[^\r\n]*\t/i,
  // RFC 9112 §7.1.1: there may be space in front of an extension.
  /\r\n[0-9a-f]+[\t ]+;/i,
  // RFC 9110 §15.2: an informational answer ends with its head, whatever that says.
  /HTTP\/1\.0 1\d\d/,
  /HTTP\/1\.1 1\d\d(?:(?!\r\n\r\n)[^])*\r\n(?:content-length|transfer-encoding|connection):/i,
];

function repeatable(name: string, check: (random: SeededRandom) => void | Promise<void>): void {
  it(name, async (t) => {
    const random = new SeededRandom(seedOfRun());
    t.diagnostic(`TEST_SEED=${random.seed}`);
    await check(random);
  });
}

/** So that the answer that somebody stumbles over can be read in the failure. */
function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1'));
}

function assertReadAsMeant(reading: GatewayReading, answer: RandomAnswer): void {
  const context = shown(answer.bytes);
  assert.equal(reading.end, 'complete', context);
  assert.equal(reading.status, answer.status, context);
  assert.deepEqual(reading.fields, answer.fields, context);
  assert.ok(reading.body.equals(answer.body), context);
  assert.equal(reading.reusable, answer.reusable, context);
}

function assertSame(reading: Reading, other: Reading, bytes: Buffer): void {
  const context = shown(bytes);
  assert.equal(reading.end, other.end, context);
  assert.equal(reading.status, other.status, context);
  assert.deepEqual(reading.fields, other.fields, context);
  assert.ok(reading.body.equals(other.body), context);
}

/** Of an answer that the gateway takes for complete, nobody else may understand something else. */
function assertReadAlike(ours: Reading, theirs: NodeReading, bytes: Buffer): void {
  if (theirs.end === 'complete') {
    assertSame(ours, theirs, bytes);
    return;
  }
  // Node looks at what stands beside a chunked body and is of no consequence: its extensions and its trailers.
  const context = `${theirs.reason}: ${shown(bytes)}`;
  assert.ok(ours.fields.includes('transfer-encoding'), context);
  assert.equal(ours.status, theirs.status, context);
  assert.doesNotMatch(theirs.reason, /chunk (?:size|data)/, context);
  const isExtension = theirs.reason.includes('chunk extension');
  const same = isExtension ? ours.body.subarray(0, theirs.body.length) : ours.body;
  assert.ok(same.equals(theirs.body), context);
}

describe(`answers of ${ANSWERS} kinds`, () => {
  repeatable('a valid one is read as it was meant, however it is divided', (random) => {
    for (let count = 0; count < ANSWERS; count += 1) {
      const answer = randomAnswer(random);
      const pieces = random.pieces(answer.bytes, MOST_PIECES);
      assertReadAsMeant(readByGateway(answer.method, pieces), answer);
    }
  });

  repeatable('whatever is taken for complete, node reads the same in it', async (random) => {
    let complete = 0;
    for (let count = 0; count < ANSWERS; count += 1) {
      const answer = randomAnswer(random);
      const bytes = random.chance(0.2) ? answer.bytes : mutated(random, answer);
      if (readOtherwise.some((pattern) => pattern.test(bytes.toString('latin1')))) continue;
      const ours = readByGateway(answer.method, random.pieces(bytes, MOST_PIECES));
      if (ours.end !== 'complete') continue;
      complete += 1;
      assertReadAlike(ours, await readByNode(answer.method, random.pieces(bytes, MOST_PIECES)), bytes);
    }
    assert.ok(complete > ANSWERS / 4, `${complete} were complete: too few to tell`);
  });

  repeatable('how the bytes are divided changes nothing', (random) => {
    for (let count = 0; count < ANSWERS; count += 1) {
      const answer = randomAnswer(random);
      const bytes = mutated(random, answer);
      const whole = readByGateway(answer.method, [bytes]);
      const divided =
        count < BYTE_BY_BYTE
          ? Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
          : random.pieces(bytes, MOST_PIECES);
      const reading = readByGateway(answer.method, divided);
      assertSame(reading, whole, bytes);
      assert.equal(reading.reusable, whole.reusable, shown(bytes));
    }
  });

  repeatable('behind one that is followed by anything, its connection is not used again', (random) => {
    for (let count = 0; count < ANSWERS / 10; count += 1) {
      const answer = randomAnswer(random);
      if (answer.endsWithConnection) continue;
      const bytes = Buffer.concat([answer.bytes, random.pick([Buffer.from('\n'), answer.bytes])]);
      const reading = readByGateway(answer.method, random.pieces(bytes, MOST_PIECES));
      assertReadAsMeant(reading, { ...answer, reusable: false });
    }
  });
});
