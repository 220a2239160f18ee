import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestGateway } from '../support/gateway.ts';
import { headerValue, rawRequest, RawConnection } from '../support/raw-http.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const CLIENTS = 40;
/** Between two requests of a connection: less than what makes it idle for a gateway that stops. Milliseconds. */
const LONGEST_PAUSE = 150;
const health = rawRequest('GET /health', []);

/** Sends until an answer says that it was the last. Returns how many were answered. */
async function useUntilTold(url: string, random: SeededRandom, onAnswer: () => void): Promise<number> {
  const connection = await RawConnection.open(url);
  for (let answered = 0; ; answered += 1) {
    await connection.send(health);
    const answer = await connection.next();
    assert.equal(answer?.status, 200, `request ${answered + 1} of a connection was not answered`);
    onAnswer();
    if (headerValue(answer, 'connection') === 'close') return answered + 1;
    await sleep(random.int(LONGEST_PAUSE)); // the pace of the load
  }
}

it('requests on kept-alive connections are answered while a gateway stops, even without a delay', async (t) => {
  const gateway = await startTestGateway({ counters: 'memory', env: { SHUTDOWN_TIMEOUT_MS: '30000' } });
  t.after(() => gateway.close());
  const random = new SeededRandom(20_261_122);
  let answers = 0;
  const warm = Promise.withResolvers<undefined>();
  const clients = Array.from({ length: CLIENTS }, () =>
    useUntilTold(gateway.url, random, () => {
      answers += 1;
      if (answers === 5 * CLIENTS) warm.resolve(undefined);
    }),
  );
  await Promise.race([warm.promise, ...clients]);
  const began = performance.now();
  await gateway.close();
  const took = performance.now() - began;
  const requests = (await Promise.all(clients)).reduce((sum, count) => sum + count, 0);
  t.diagnostic(
    `${requests} requests on ${CLIENTS} connections, all answered; stopped in ${took.toFixed(0)} ms`,
  );
  assert.ok(took < 5_000, 'nobody had a request under way for so long');
});
