import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { localhostTls } from '../support/tls/certificate.ts';

async function valueOf(gateway: TestGateway, series: string): Promise<number | undefined> {
  const line = (await gateway.metrics()).split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

it('tells when the certificate at PUBLIC_URL ends, and what the disk of the embedded database has left', async () => {
  const balancer = createServer(localhostTls, (_req, res) => res.end());
  balancer.listen(0, '127.0.0.1');
  await once(balancer, 'listening');
  const { port } = balancer.address() as AddressInfo;
  const env = { PUBLIC_URL: `https://localhost:${port}` };
  const gateway = await startTestGateway({ counters: 'memory', database: 'embedded', env });
  try {
    const series = 'licensify_certificate_expiry_timestamp_seconds{host="localhost"}';
    const ends = Date.parse(new X509Certificate(localhostTls.cert).validTo) / 1_000;
    await eventually(async () => assert.equal(await valueOf(gateway, series), ends), 10_000);
    const free = (await valueOf(gateway, 'licensify_data_dir_free_bytes')) ?? 0;
    const size = (await valueOf(gateway, 'licensify_data_dir_size_bytes')) ?? 0;
    assert.ok(free > 0 && size > free, `${free} of ${size}`);
    assert.equal(await valueOf(gateway, 'licensify_redis_memory_used_bytes'), undefined);
  } finally {
    await gateway.close();
    balancer.close();
  }
});

it('tells what Redis uses of its memory, and nothing while it does not answer', async () => {
  const redis = await startOwnRedis({ args: ['--maxmemory', '64mb', '--maxmemory-policy', 'noeviction'] });
  const gateway = await startTestGateway({ env: { REDIS_URL: redis.url } });
  try {
    const used = (await valueOf(gateway, 'licensify_redis_memory_used_bytes')) ?? 0;
    assert.ok(used > 100_000 && used < 64 * 1_048_576, String(used));
    assert.equal(await valueOf(gateway, 'licensify_redis_memory_max_bytes'), 64 * 1_048_576);
    assert.equal(await valueOf(gateway, 'licensify_data_dir_free_bytes'), undefined);
  } finally {
    await gateway.close();
    await redis.stop();
  }
});
