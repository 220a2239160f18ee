import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Redis } from 'ioredis';
import { startTestGateway, type JsonAnswer, type TestGateway } from '../support/gateway.ts';
import { testRedisUrl } from '../support/servers/databases.ts';
import { layLine } from '../support/tcp-line.ts';

const UNKNOWN = 'LIC-00000-00000-00000-00000-00000';

function present(
  gateway: TestGateway,
  licenseKey: string,
  headers: Record<string, string> = {},
): Promise<JsonAnswer> {
  return gateway.request('/activate', { headers, body: { license_key: licenseKey, hardware_id: 'hw-1' } });
}

async function wrongKeys(gateway: TestGateway, times: number, from?: string): Promise<number[]> {
  const statuses: number[] = [];
  for (let turn = 0; turn < times; turn += 1) {
    const headers = from === undefined ? {} : { 'x-forwarded-for': from };
    statuses.push((await present(gateway, UNKNOWN, headers)).status);
  }
  return statuses;
}

for (const counters of ['redis', 'memory'] as const) {
  it(`a license of one's own does not buy more attempts (${counters})`, async (t) => {
    const gateway = await startTestGateway({ counters });
    t.after(() => gateway.close());
    const { licenseKey } = await gateway.createLicense();
    assert.deepEqual(new Set(await wrongKeys(gateway, 9)), new Set([401]));
    for (let turn = 0; turn < 20; turn += 1) assert.equal((await present(gateway, licenseKey)).status, 200);
    assert.deepEqual(await wrongKeys(gateway, 2), [401, 429]);
  });
}

it('X-Forwarded-For from whoever is no proxy of ours gives nobody another address', async (t) => {
  const gateway = await startTestGateway({ env: { TRUST_PROXY: '0' } });
  t.after(() => gateway.close());
  const { licenseKey } = await gateway.createLicense();
  for (let turn = 0; turn < 10; turn += 1) {
    assert.deepEqual(await wrongKeys(gateway, 1, `192.0.2.${turn}`), [401]);
  }
  assert.deepEqual(await wrongKeys(gateway, 1, '192.0.2.99'), [429]);
  assert.equal((await present(gateway, licenseKey)).status, 429);
});

it('behind one proxy, what the client puts in front of the address that the proxy adds is not believed', async (t) => {
  const gateway = await startTestGateway({ env: { TRUST_PROXY: '1' } });
  t.after(() => gateway.close());
  for (let turn = 0; turn < 10; turn += 1) {
    assert.deepEqual(await wrongKeys(gateway, 1, `198.51.100.${turn}, 192.0.2.1`), [401]);
  }
  assert.deepEqual(await wrongKeys(gateway, 1, '198.51.100.99, 192.0.2.1'), [429]);
  assert.deepEqual(await wrongKeys(gateway, 1, '192.0.2.1, 198.51.100.1'), [401]);
});

it('what is kept of it in Redis goes by itself within ten minutes, and names no key', async (t) => {
  const gateway = await startTestGateway({ env: { TRUST_PROXY: '1' } });
  t.after(() => gateway.close());
  const redis = new Redis(testRedisUrl());
  t.after(() => redis.disconnect());
  const addresses = ['192.0.2.1', '192.0.2.2', '2001:db8::1', 'x'.repeat(5_000)];
  for (const address of addresses) await wrongKeys(gateway, 12, address);
  const keys = await redis.keys(`${gateway.env.REDIS_PREFIX}:attempts:*`);
  assert.equal(keys.length, addresses.length);
  for (const key of keys) {
    const ttl = await redis.pttl(key);
    assert.ok(ttl > 0 && ttl <= 600_000, `${key}: ${ttl} ms`);
    assert.ok(key.length < 150, key);
    assert.equal(await redis.get(key), '10', 'who waits is not counted on');
  }
});

it('while Redis is away each instance counts by itself, and who waited goes on waiting', async (t) => {
  const line = await layLine(testRedisUrl());
  t.after(() => line.close());
  const env = { REDIS_URL: line.url, REDIS_TIMEOUT_MS: '50', TRUST_PROXY: '1' };
  const gateway = await startTestGateway({ env });
  t.after(() => gateway.close());
  const { licenseKey } = await gateway.createLicense();
  assert.equal((await wrongKeys(gateway, 11, '192.0.2.1')).at(-1), 429);
  line.lose();
  assert.deepEqual(await wrongKeys(gateway, 1, '192.0.2.1'), [429]);
  const statuses = await wrongKeys(gateway, 11, '192.0.2.2');
  assert.deepEqual([new Set(statuses.slice(0, 10)), statuses[10]], [new Set([401]), 429]);
  const headers = { 'x-forwarded-for': '192.0.2.3' };
  assert.equal((await present(gateway, licenseKey, headers)).status, 200, 'a customer is served');
  line.restore();
});
