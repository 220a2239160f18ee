import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.ts';
import { hasFailed, served, tally, type Answer } from '../../support/cluster/answers.ts';
import { startLoad } from '../../support/cluster/load.ts';
import { openLongStream } from '../../support/cluster/streams.ts';
import { figure } from '../figures.ts';
import { docker, type Inspected } from '../stack.ts';
import type { World } from '../world.ts';
import { accountsOf } from './accounts.ts';
import { isWhole, ready } from './scaling.ts';

const CLIENTS = 12;
const STREAMS = 6;
const STREAM_SECONDS = 8;
/** Two failed checks take a second, a connection that is not answered another. Milliseconds, generous. */
const ERRORS_END_WITHIN = 3_000;
const REQUESTS_BEFORE = 150;
const REQUESTS_AFTER = 300;
const PATIENCE = 60_000;

/** Of three gateways one is killed: what it had in hand fails, nothing else does, and every count is exact. */
export async function killFailsOnlyItsOwn(world: World): Promise<void> {
  const { stack, customers } = world;
  await stack.scale(3);
  await ready(world, 3);
  const { devices, licenseId } = await customers.add({ tier: 'enterprise' });
  const [device] = devices;
  const load = startLoad({
    next: () => ({ url: stack.url, device, simulate: 'delay=100' }),
    clients: CLIENTS,
    pauseMs: () => 20,
  });
  const streams = Array.from({ length: STREAMS }, () => openLongStream(stack.url, device, STREAM_SECONDS));
  await Promise.all(streams.map(({ opened }) => opened));
  await eventually(() => assert.ok(load.answers.length >= REQUESTS_BEFORE), PATIENCE);

  const [victim, ...survivors] = await stack.containers('gateway');
  assert.ok(victim);
  const killedAt = performance.now();
  await docker(['kill', '-s', 'KILL', victim.Id]);
  const deadAt = performance.now();
  const answeredThen = load.answers.length;
  await eventually(() => assert.ok(load.answers.length >= answeredThen + REQUESTS_AFTER), PATIENCE);
  const answers = await load.stop();
  const outcomes = await Promise.all(streams.map(({ over }) => over));

  const failed = answers.filter(hasFailed);
  const broken = outcomes.filter((outcome) => !isWhole(outcome));
  figure('plain requests, by answer', JSON.stringify(tally(answers)));
  figure('streams, cut', `${outcomes.length}, ${broken.length}`);
  const lastError = [...failed.map(({ decidedAt }) => decidedAt), ...broken.map(({ endedAt }) => endedAt)];
  figure(
    'the last error came after the kill by',
    `${Math.max(0, Math.max(...lastError, killedAt) - killedAt).toFixed(0)} ms`,
  );
  assertOnlyInFlight(failed, deadAt);
  assert.ok(Math.max(...lastError, killedAt) - killedAt < ERRORS_END_WITHIN);
  assert.ok(broken.length < STREAMS, 'the streams of the others were cut too');
  assert.deepEqual(await failuresIn(survivors, licenseId), [], 'another gateway failed a request');

  // Each request of a client was sent to the provider once at most, and each that was sent is counted once.
  const good = served(answers) + outcomes.length - broken.length;
  const accounts = await accountsOf(world, licenseId);
  const lost = failed.length + broken.length;
  figure(
    'served to clients <= provider <= Redis = ledger <= served + lost',
    `${good} <= ${accounts.provider} <= ${accounts.redis} = ${accounts.ledger} <= ${good} + ${lost}`,
  );
  assert.ok(
    good <= accounts.provider && accounts.provider <= accounts.redis && accounts.redis <= good + lost,
  );
  await docker(['start', victim.Id]);
  await ready(world, 3);
}

/** Each failure was under way when the gateway died; HAProxy tells of it in the contract's form. */
function assertOnlyInFlight(failed: readonly Answer[], deadAt: number): void {
  assert.ok(failed.length <= CLIENTS, `${failed.length} failed, of ${CLIENTS} clients`);
  for (const { beganAt, status, code, error } of failed) {
    assert.ok(beganAt <= deadAt, 'a request failed that began when the gateway was dead already');
    if (error === undefined) assert.deepEqual({ status, code }, { status: 502, code: 'gateway_failed' });
  }
}

/** Log lines of a license's requests that did not end well. */
async function failuresIn(gateways: readonly Inspected[], licenseId: string): Promise<string[]> {
  const logs = await Promise.all(gateways.map(({ Id }) => docker(['logs', Id])));
  return logs
    .flatMap((log) => log.split('\n'))
    .filter(
      (line) => line.includes(licenseId) && line.includes('"provider":') && !line.includes('"outcome":"ok"'),
    );
}
