import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { chatStatus } from '../support/proxy-call.ts';
import { testRedisUrl } from '../support/servers/databases.ts';
import {
  boundDevice,
  CHAT,
  newDeviceKey,
  send,
  sentenceOf,
  signingTiers,
  signMessage,
  stamp,
  stampHeaders,
  timestampAt,
} from '../support/signing.ts';

const body = '{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}';
const tiers = signingTiers();

/** How many of a crowd that sends one and the same request, in turns to each of the gateways, are served. */
async function servedOf(gateways: TestGateway[], headers: Record<string, string>): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, turn) => {
      const gateway = gateways[turn % gateways.length];
      if (gateway === undefined) throw new Error('there is no gateway');
      return send(gateway, CHAT, { headers, body });
    }),
  );
  for (const answer of answers) {
    if (answer.status === 200) continue;
    assert.equal(answer.status, 401, answer.text);
    assert.match(sentenceOf(answer), /has been used before/);
  }
  return answers.filter(({ status }) => status === 200).length;
}

/** Redis remembers so many signatures, and none for longer than it could be accepted. */
async function assertRemembered(gateway: TestGateway, count: number): Promise<void> {
  const redis = new Redis(testRedisUrl());
  const names = await redis.keys(`${gateway.env.REDIS_PREFIX ?? ''}:proof:*`);
  const ttls = await Promise.all(names.map((name) => redis.pttl(name)));
  redis.disconnect();
  assert.equal(names.length, count);
  assert.ok(
    ttls.every((ttl) => ttl > 300_000 && ttl <= 360_000),
    String(ttls),
  );
}

describe('of many requests with one signature', () => {
  for (const counters of ['redis', 'memory'] as const) {
    it(`one is served and counted, on ${counters === 'redis' ? 'two instances over Redis' : 'one alone'}`, async (t) => {
      const gateway = await startTestGateway({ tiers, counters });
      t.after(() => gateway.close());
      const joined = counters === 'redis' ? [await startTestGateway({ joins: gateway, tiers })] : [];
      t.after(() => Promise.all(joined.map((other) => other.close())));
      const gateways = [gateway, ...joined];

      const device = await gateway.device({ tier: 'signed' });
      const stamped = stampHeaders(stamp(device.proxyKey, 'openai', body));
      assert.equal(await servedOf(gateways, { authorization: `Bearer ${device.proxyKey}`, ...stamped }), 1);
      assert.equal((await gateway.gateway.admission.used(device.licenseId)).today, 1);

      const key = newDeviceKey();
      const bound = await boundDevice(gateway, key);
      const message = { ...signMessage({ key, body }) };
      assert.equal(await servedOf(gateways, { authorization: `Bearer ${bound.proxyKey}`, ...message }), 1);
      // Another label, or another way to write the same down, is still the same signature.
      const relabelled = {
        ...message,
        'signature-input': message['signature-input'].replace('sig1', 'other'),
        signature: message.signature.replace('sig1', 'other'),
      };
      assert.equal(await servedOf(gateways, { authorization: `Bearer ${bound.proxyKey}`, ...relabelled }), 0);
      assert.equal((await gateway.gateway.admission.used(bound.licenseId)).today, 1);
      assert.equal(gateway.simulator.requests.length, 2);

      // What need not be signed leaves nothing behind.
      const plain = await gateway.device({ tier: 'pro' });
      assert.equal(await chatStatus(gateway, plain.proxyKey), 200);
      if (counters === 'redis') await assertRemembered(gateway, 2);
    });
  }

  it('none is served a second time as long as its time is acceptable, nor after it', async (t) => {
    const clock = new FakeClock('2026-11-25T12:00:00Z');
    const gateway = await startTestGateway({ tiers, counters: 'memory', clock });
    t.after(() => gateway.close());
    const device = await gateway.device({ tier: 'signed' });
    // As far ahead as may be, so that it stays acceptable for ten minutes.
    const headers = {
      authorization: `Bearer ${device.proxyKey}`,
      ...stampHeaders(stamp(device.proxyKey, 'openai', body, timestampAt(clock.now() + 300_000))),
    };
    const says: string[] = [];
    for (let minute = 0; minute <= 24; minute += 1) {
      const answer = await send(gateway, CHAT, { headers, body });
      says.push(
        answer.status === 200
          ? 'served'
          : (/used before|off the server's time/.exec(sentenceOf(answer))?.[0] ?? ''),
      );
      // Others come in between, so that what is old is forgotten.
      const fresh = stampHeaders(stamp(device.proxyKey, 'openai', body, timestampAt(clock.now() + 7)));
      const another = await send(gateway, CHAT, { headers: { ...headers, ...fresh }, body });
      assert.equal(another.status, 200, another.text);
      clock.advance(60_000);
    }
    assert.equal(says[0], 'served');
    assert.deepEqual(new Set(says.slice(1, 11)), new Set(['used before']));
    assert.deepEqual(new Set(says.slice(11)), new Set(["off the server's time"]));
  });

  it('one that was refused for its body may still be used for the right one', async (t) => {
    const gateway = await startTestGateway({ tiers, counters: 'memory' });
    t.after(() => gateway.close());
    const device = await gateway.device({ tier: 'signed' });
    const headers = {
      authorization: `Bearer ${device.proxyKey}`,
      ...stampHeaders(stamp(device.proxyKey, 'openai', body)),
    };
    assert.equal((await send(gateway, CHAT, { headers, body: `${body} ` })).status, 401);
    assert.equal((await send(gateway, CHAT, { headers, body })).status, 200);
  });
});
