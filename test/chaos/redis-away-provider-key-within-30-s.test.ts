import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { newMasterKey, newOpenAiKey, openaiOf, setKey } from '../support/provider-admin.ts';
import { testRedisUrl } from '../support/servers/databases.ts';
import { layLine } from '../support/tcp-line.ts';

/** As for a revocation (contract §6). Milliseconds. */
const PROMISED = 30_000;

it('a provider key that is set while Redis is away is used by the other instances within 30 s', async (t) => {
  const line = await layLine(testRedisUrl());
  t.after(() => line.close());
  const env = { MASTER_KEY: newMasterKey(), REDIS_URL: line.url, REDIS_TIMEOUT_MS: '100' };
  const one = await startTestGateway({ env });
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  line.lose();
  const began = performance.now();
  assert.equal((await setKey(one, newOpenAiKey())).status, 200);
  const { fingerprint } = await openaiOf(one);
  await eventually(async () => assert.equal((await openaiOf(other)).fingerprint, fingerprint), PROMISED);
  t.diagnostic(`after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  line.restore();
});
