import assert from 'node:assert/strict';
import { it } from 'node:test';
import { agreeOn } from '../support/at-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { chat } from '../support/proxy-call.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';

const tiers = `
[tiers.patient]
name = "Patient"
daily_limit = 20
monthly_limit = 1000
max_devices = 3

[tiers.lenient]
name = "Lenient"
daily_limit = 20
monthly_limit = 1000
max_devices = 3
on_counter_outage = "allow"
outage_allowance = 5
`;

// quality.md B7: insurance limiters of others admit the whole limit once more for each instance.
it('a tier that allows it goes on without counters for its allowance, which is booked afterwards', async (t) => {
  const redis = await startOwnRedis({ appendOnly: true });
  t.after(() => redis.stop());
  const one = await startTestGateway({ env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '150' }, tiers });
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one, tiers });
  t.after(() => other.close());
  const lenient = await one.device({ tier: 'lenient' });
  const patient = await one.device({ tier: 'patient' });
  const send = async (key: string, times: number, headers = {}): Promise<number[]> => {
    const answers = Array.from({ length: times }, (_, turn) =>
      chat(turn % 2 === 0 ? one : other, key, headers),
    );
    return (await Promise.all(answers)).map(({ status }) => status);
  };
  await send(lenient.proxyKey, 18);
  await send(patient.proxyKey, 2);
  await redis.kill();
  const during = await send(lenient.proxyKey, 40);
  const admitted = during.filter((status) => status === 200).length;
  assert.equal(admitted, 10, 'five on each of two instances');
  assert.equal(during.filter((status) => status === 503).length, 30);
  assert.deepEqual(new Set(await send(patient.proxyKey, 6)), new Set([503]));
  await redis.restart();
  await agreeOn(one, lenient.licenseId, 28);
  t.diagnostic(
    `over the limit of 20: 8 (promised at most 5 × 2 instances); booked afterwards: 28 in Redis and ledger`,
  );
  assert.deepEqual(new Set(await send(lenient.proxyKey, 6)), new Set([429]), 'what was lent is counted');
  // A Redis that flaps lends nothing twice.
  await redis.kill();
  await eventually(async () => assert.equal((await chat(one, patient.proxyKey)).status, 503), 5_000);
  assert.deepEqual(new Set(await send(lenient.proxyKey, 6)), new Set([503]));
  await redis.restart();
  await eventually(async () => assert.equal((await chat(one, patient.proxyKey)).status, 200), 5_000);
});

it('an allowance is given back for what the provider failed to do, and booked in the ledger at a stop', async (t) => {
  const redis = await startOwnRedis({ appendOnly: true });
  t.after(() => redis.stop());
  const one = await startTestGateway({ env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '150' }, tiers });
  t.after(() => one.close());
  const witness = await startTestGateway({ joins: one, tiers });
  t.after(() => witness.close());
  const device = await one.device({ tier: 'lenient' });
  assert.equal((await chat(one, device.proxyKey)).status, 200);
  await redis.kill();
  assert.equal((await chat(one, device.proxyKey, { 'x-simulate': 'status=500' })).status, 500);
  const answer = await chat(one, device.proxyKey);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('x-ratelimit-limit'), '20', 'what remains is not known');
  await one.close();
  await redis.restart();
  await eventually(async () => {
    const row = await witness.gateway.knex('usage').where({ license_id: device.licenseId }).sum('requests');
    assert.deepEqual(
      row.map(({ sum }) => Number(sum)),
      [2],
      'one before the outage and one in it',
    );
  }, 5_000);
});
