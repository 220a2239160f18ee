import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { it } from 'node:test';
import { examined, foundOf } from '../support/doctor/findings.ts';

it('stores and a provider that accept connections and say nothing are told within seconds', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const place = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const began = performance.now();
  const result = await examined({
    DATABASE_URL: `postgres://user@${place}/db`,
    REDIS_URL: `redis://${place}`,
    OPENAI_API_KEY: 'sk-made-up',
    OPENAI_BASE_URL: `http://${place}`,
  });
  const seconds = (performance.now() - began) / 1_000;
  for (const socket of sockets) socket.destroy();
  silent.close();
  assert.equal(result.code, 1);
  for (const check of ['database', 'redis', 'provider openai'])
    assert.match(foundOf(result, check).join(), /^fail: /, check);
  assert.ok(seconds < 20, `it took ${seconds} s`);
});
