import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Fuzzer, type FuzzedConnection } from '../support/raw-fuzz.ts';
import { RawConnection } from '../support/raw-http.ts';
import { RawStage } from '../support/raw-stage.ts';
import { SeededRandom, seedOfRun } from '../support/seeded-random.ts';
import { ANTHROPIC_KEY, FORBIDDEN_MARKER, OPENAI_KEY } from '../support/simulator/simulator.ts';

const CONNECTIONS = Number(process.env.TEST_FUZZ_CONNECTIONS ?? 4_000);
const AT_ONCE = 50;
const PATIENCE_FOR_AN_ANSWER = 100;

/** Runs the seed's requests against a gateway; any of them is repeated by the same seed. */
describe('whatever is sent, the gateway stays up and keeps its secrets', () => {
  const random = new SeededRandom(seedOfRun());
  const faults: unknown[] = [];
  const note = (error: unknown): number => faults.push(error);
  let stage: RawStage;
  before(async () => {
    process.on('uncaughtExceptionMonitor', note);
    stage = await RawStage.start({ env: { LOG_LEVEL: 'info' } });
  });
  after(async () => {
    process.off('uncaughtExceptionMonitor', note);
    await stage.close();
  });

  /** All that the server answers before it closes the connection, which it does once nothing more can come. */
  async function run({ pieces, aborts }: FuzzedConnection): Promise<Buffer> {
    const connection = await RawConnection.open(stage.gateway.url);
    try {
      await connection.send(...pieces);
      if (aborts) return Buffer.alloc(0);
      // Half of what is sent is no whole request: the server waits for the rest of it until it is told that none comes.
      await connection.reactsWithin(PATIENCE_FOR_AN_ANSWER);
      connection.endSending();
      await connection.closed();
      return connection.received;
    } finally {
      connection.destroy();
    }
  }

  function assertHarmless(answer: Buffer, { bytes }: FuzzedConnection): void {
    const context = JSON.stringify(bytes.toString('latin1').replaceAll(/px_\w+|LIC-[\w-]+/g, '(key)'));
    for (const secret of [OPENAI_KEY, ANTHROPIC_KEY, FORBIDDEN_MARKER]) {
      assert.ok(!answer.includes(secret), `${secret} was answered to ${context}`);
    }
    assert.doesNotMatch(answer.toString('latin1'), /HTTP\/1\.1 5\d\d/, context);
  }

  it(`${CONNECTIONS} connections (TEST_SEED=${random.seed})`, async (t) => {
    const fuzzer = new Fuzzer(random, stage.device);
    t.diagnostic(`TEST_SEED=${random.seed}`);
    for (let sent = 0; sent < CONNECTIONS; sent += AT_ONCE) {
      const batch = Array.from({ length: Math.min(AT_ONCE, CONNECTIONS - sent) }, () => fuzzer.next());
      const answers = await Promise.all(batch.map(run));
      batch.forEach((connection, index) => assertHarmless(answers[index] ?? Buffer.alloc(0), connection));
      if (sent % 500 === 0) await stage.assertAlive();
    }
    await stage.assertAlive();
  });

  it('nothing was thrown, and no request ended in an error of ours', () => {
    assert.deepEqual(faults, []);
    const failed = stage.gateway.logLines().filter(({ outcome }) => outcome === 'internal_error');
    assert.deepEqual(failed, []);
  });

  it('no key reached the provider, and only calls that are open', async () => {
    await stage.settled();
    const { requests } = stage.gateway.simulator;
    assert.ok(
      requests.length > CONNECTIONS / 40,
      `${requests.length} requests came through: too few to tell`,
    );
    for (const { method, url, rawHeaders, body } of requests) {
      assert.match(
        `${method} ${url}`,
        /^(?:GET \/v1\/models|POST \/v1\/(?:chat\/completions|messages|audio\/transcriptions))/,
      );
      assert.ok(!`${url} ${rawHeaders.join(' ')} ${body.toString()}`.includes(stage.device.proxyKey));
    }
  });
});
