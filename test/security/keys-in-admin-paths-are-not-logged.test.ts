import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';

it('a key that an administrator pastes in the place of a license id is not written into the log', async (t) => {
  const gateway = await startTestGateway({ counters: 'memory' });
  t.after(() => gateway.close());
  const { licenseKey, proxyKey, licenseId } = await gateway.device();
  const calls: [method: string, path: string][] = [
    ['GET', ''],
    ['POST', '/suspend'],
    ['GET', '/devices'],
    ['DELETE', '/devices/hw-test'],
  ];
  for (const key of [licenseKey, licenseKey.toLowerCase(), proxyKey, ` ${licenseKey}`]) {
    for (const [method, path] of calls) {
      const answer = await gateway.admin(`/licenses/${encodeURIComponent(key)}${path}`, { method });
      assert.equal(answer.status, 404);
    }
  }
  assert.equal((await gateway.admin(`/licenses/${licenseId}`)).status, 200);
  // The line of a request is written when its answer has gone: the last one's, when all are there.
  await eventually(() => {
    const lines = gateway.logLines().filter(({ path }) => path === '/admin/v1/licenses/:id');
    assert.deepEqual(lines.at(-1)?.license, licenseId, 'an id is');
  }, 5_000);
  const written = JSON.stringify(gateway.logLines()).toLowerCase();
  for (const key of [licenseKey.slice(4), proxyKey.slice(3)])
    assert.ok(!written.includes(key.toLowerCase()), 'a key is in the log');
});
