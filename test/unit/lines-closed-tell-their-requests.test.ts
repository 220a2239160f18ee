import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { it } from 'node:test';
import { Lines } from '../../src/upstream/lines.ts';

it('connections that are closed tell the requests under way', async () => {
  const silent = createServer((socket) => socket.resume());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const lines = new Lines(new URL(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`), 60_000);
  const { promise: sent, resolve } = Promise.withResolvers<undefined>();
  const failed = new Promise<Error>((told) => {
    lines.take().send(
      { method: 'GET', head: 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', body: [] },
      {
        sent: () => resolve(undefined),
        head: () => undefined,
        piece: () => undefined,
        allRead: () => undefined,
        end: () => undefined,
        failed: told,
      },
    );
  });
  await sent;
  lines.close();
  assert.match((await failed).message, /closes its connections/);
  silent.close();
  await once(silent, 'close');
});
