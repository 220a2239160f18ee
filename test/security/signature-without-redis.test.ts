import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { CHAT, send, sentenceOf, signingTiers, stamp, stampHeaders } from '../support/signing.ts';

const body = '{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}';
const limits = 'daily_limit = 1000\nmonthly_limit = 30000\nmax_devices = 3';
const tiers = `${signingTiers(limits)}
[tiers.lenient]
name = "Lenient"
${limits}
require_signature = true
on_counter_outage = "allow"
outage_allowance = 5
`;

it('while Redis is away a signature is accepted by nobody, or by each instance once where the tier allows it', async (t) => {
  const redis = await startOwnRedis();
  t.after(() => redis.stop());
  const gateway = await startTestGateway({ env: { REDIS_URL: redis.url }, tiers });
  t.after(() => gateway.close());
  const strict = await gateway.device({ tier: 'signed' });
  const lenient = await gateway.device({ tier: 'lenient' });
  const headersOf = (proxyKey: string): Record<string, string> => ({
    authorization: `Bearer ${proxyKey}`,
    ...stampHeaders(stamp(proxyKey, 'openai', body)),
  });
  const before = headersOf(lenient.proxyKey);
  assert.equal((await send(gateway, CHAT, { headers: before, body })).status, 200);
  assert.equal((await send(gateway, CHAT, { headers: headersOf(strict.proxyKey), body })).status, 200);

  await redis.kill();
  const unknown = await send(gateway, CHAT, { headers: headersOf(strict.proxyKey), body });
  assert.equal(unknown.status, 503);
  assert.equal((unknown.body as { error?: { code?: string } }).error?.code, 'counters_unavailable');
  assert.equal(unknown.headers.get('retry-after'), '1');
  // What cannot be right is still told so, and without waiting.
  const forged = { ...headersOf(strict.proxyKey), 'x-licensify-signature': '0'.repeat(64) };
  assert.equal((await send(gateway, CHAT, { headers: forged, body })).status, 401);

  const during = headersOf(lenient.proxyKey);
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => send(gateway, CHAT, { headers: during, body })),
  );
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.equal(answers.filter(({ status }) => status === 401).length, 9);
  const replayed = await send(gateway, CHAT, { headers: before, body });
  assert.equal(replayed.status, 401, 'what was accepted through Redis is known without it');
  assert.match(sentenceOf(replayed), /used before/);
});
