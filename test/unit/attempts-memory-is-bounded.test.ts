import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RateLimiterRes } from 'rate-limiter-flexible';
import { BoundedMemory } from '../../src/http/attempts.ts';
import { networkOf } from '../../src/http/network.ts';

it('of more addresses than fit, those that were not seen for longest are forgotten, and no other', async () => {
  const limiter = new BoundedMemory({ points: 2, duration: 600, keyPrefix: 'attempts' }, 100);
  const name = (turn: number): string => `192.0.2.${turn}`;
  for (let turn = 0; turn < 1_000; turn += 1) {
    await limiter.consume(name(turn));
    await limiter.consume('a busy one').catch(() => undefined);
  }
  const known = await Promise.all(Array.from({ length: 1_000 }, (_, turn) => limiter.get(name(turn))));
  assert.equal(known.filter((state) => state !== null).length, 99);
  assert.ok(known.slice(-99).every((state) => state?.consumedPoints === 1));
  await assert.rejects(limiter.consume('a busy one'), (error) => error instanceof RateLimiterRes);
});

it('an IPv6 network has one name however its addresses are written, and IPv4 addresses stay apart', () => {
  const one = ['2001:db8:1:2::1', '2001:0DB8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2:0:0:192.0.2.1'];
  assert.deepEqual(new Set(one.map(networkOf)), new Set(['2001:db8:1:2']));
  for (const [address, network] of [
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:0:0:1::', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['unix:', 'unix:'],
    [undefined, 'unknown'],
  ] as const) {
    assert.equal(networkOf(address), network, String(address));
  }
  assert.notEqual(networkOf('2001:db8:1:3::1'), networkOf('2001:db8:1:2::1'));
  assert.equal(networkOf('x'.repeat(10_000)).length, 64, 'a proxy may pass on anything');
});
