import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { eventually } from './eventually.ts';
import { FakeClock } from './fake-clock.ts';
import { startTestGateway, type JsonAnswer, type TestDevice, type TestGateway } from './gateway.ts';
import { chat } from './proxy-call.ts';
import { usageOf } from './usage-rows.ts';

/** Whoever needs the database is told so within this time, and is served so soon after its return. Milliseconds. */
const PROMISED = 1_000;
/** From here on a session in memory is read again. Milliseconds. */
const SESSION_IS_STALE = 61_000;
const LOOP = 40;

export interface Outage {
  databaseUrl: string;
  begin: () => Promise<void> | void;
  /** Resolves when the database can be reached again. */
  end: () => Promise<void> | void;
  /** The first request of the outage has a session in memory that is to be read again. */
  unnoticed?: boolean;
}

interface Stage {
  gateway: TestGateway;
  clock: FakeClock;
  cached: TestDevice;
  /** Its key was never looked up. */
  uncached: TestDevice;
  /** Admitted requests of each device. */
  admitted: Map<TestDevice, number>;
}

/**
 * What is promised of an outage of the database (quality B14): sessions in memory are served, whatever needs the
 * database is answered 503 within a second, all of it works within a second of the return, and nothing is lost.
 */
export async function outlives(
  t: TestContext,
  { databaseUrl, begin, end, unnoticed = false }: Outage,
): Promise<void> {
  const clock = new FakeClock('2026-03-10T12:00:00Z');
  const gateway = await startTestGateway({ clock, env: { DATABASE_URL: databaseUrl } });
  t.after(() => gateway.close());
  const cached = await gateway.device();
  const uncached = await gateway.device();
  const stage = { gateway, clock, cached, uncached, admitted: new Map<TestDevice, number>() };
  await serve(stage, cached);

  if (unnoticed) clock.advance(SESSION_IS_STALE);
  await begin();
  if (unnoticed) {
    const [first = 0, ...others] = await serveMany(stage);
    report(t, 'decision that finds out', [first]);
    report(t, 'longest of the others', others);
    assert.ok(Math.max(...others) < first, 'each waits for itself');
  }
  const [fresh, refusals] = await Promise.all([serveMany(stage), refuseAll(stage)]);
  report(t, 'longest 503 at first', refusals);
  report(t, 'longest decision, session in memory', fresh);
  // The first of them asks the database, and tells the others that it is away.
  clock.advance(SESSION_IS_STALE);
  report(t, 'longest decision, session to be read again', await serveMany(stage));
  report(t, 'longest 503 later', await refuseAll(stage));
  const ready = await fetch(`${gateway.internalUrl}/health/ready`);
  assert.equal(ready.status, 200, 'the sessions in memory need this instance');
  assert.deepEqual(await ready.json(), { status: 'degraded', problems: ['the database cannot be reached'] });

  await end();
  report(t, 'all works again', [await worksAgain(stage)]);
  for (const [device, requests] of stage.admitted)
    await usageOf(gateway.gateway.knex, device, [{ requests }]);
  t.diagnostic(
    `in the ledger: ${[...stage.admitted.values()].join(' and ')} requests, as many as were admitted`,
  );
}

function report(t: TestContext, what: string, times: readonly number[]): void {
  const longest = Math.max(...times);
  t.diagnostic(`${what}: ${longest.toFixed(0)} ms, promised ${PROMISED}`);
  assert.ok(longest <= PROMISED, `${what} took ${longest.toFixed(0)} ms`);
}

async function serve({ gateway, admitted }: Stage, device: TestDevice): Promise<void> {
  const answer = await chat(gateway, device.proxyKey);
  assert.equal(answer.status, 200, answer.text);
  admitted.set(device, (admitted.get(device) ?? 0) + 1);
}

/** One request after the other. Returns how long each took. */
async function serveMany(stage: Stage): Promise<number[]> {
  const times: number[] = [];
  for (let request = 0; request < LOOP; request += 1) {
    times.push(await timed(() => serve(stage, stage.cached)));
  }
  return times;
}

/** Everything that needs the database, at the same time. Returns how long each took. */
function refuseAll(stage: Stage): Promise<number[]> {
  return Promise.all(
    requestsToTheDatabase(stage).map((request) =>
      timed(async () => {
        const { status, text, headers } = await request();
        assert.match(text, /"code":"database_unavailable"/);
        assert.deepEqual([status, headers.get('retry-after')], [503, '1']);
      }),
    ),
  );
}

function requestsToTheDatabase({ gateway, cached, uncached }: Stage): (() => Promise<JsonAnswer>)[] {
  const body = { license_key: cached.licenseKey, hardware_id: cached.hardwareId };
  const license = { email: 'new@example.com', name: 'New', tier: 'pro' };
  return [
    () => chat(gateway, uncached.proxyKey),
    () => chat(gateway, uncached.proxyKey),
    ...['/activate', '/check', '/deactivate'].map((path) => () => gateway.request(path, { body })),
    () => gateway.admin('/licenses'),
    () => gateway.admin(`/licenses/${cached.licenseId}`),
    () => gateway.admin('/licenses', { body: license }),
    // Many that wait for the same license.
    ...Array.from({ length: 20 }, () => () => gateway.request('/activate', { body })),
  ];
}

/** Asks until each has worked once. Returns how long that took. */
function worksAgain(stage: Stage): Promise<number> {
  const { gateway, cached, uncached } = stage;
  const body = { license_key: cached.licenseKey, hardware_id: cached.hardwareId };
  const isServed = async (request: () => Promise<JsonAnswer>): Promise<void> => {
    const { status, text } = await request();
    assert.equal(status, 200, text);
  };
  return timed(() =>
    Promise.all([
      eventually(() => serve(stage, uncached), PROMISED),
      eventually(() => isServed(() => gateway.request('/check', { body })), PROMISED),
      eventually(() => isServed(() => gateway.request('/activate', { body })), PROMISED),
      eventually(() => isServed(() => gateway.admin(`/licenses/${cached.licenseId}`)), PROMISED),
    ]),
  );
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
