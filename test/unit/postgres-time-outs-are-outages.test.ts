import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { it } from 'node:test';
import pg from 'pg';
import { isUnavailable } from '../../src/stores/database.ts';
import { requireServers } from '../support/servers/databases.ts';

it('a connection that takes too long to be made is an outage, not a fault of ours', async (t) => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket));
  t.after(() => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const client = new pg.Client({ host: '127.0.0.1', port, connectionTimeoutMillis: 100 });
  client.on('error', () => undefined);
  await assert.rejects(client.connect(), isUnavailable);
});

it('a statement whose answer is late is an outage, and one that is wrong is not', async (t) => {
  const client = new pg.Client({ connectionString: requireServers().databaseUrl, query_timeout: 100 });
  client.on('error', () => undefined);
  await client.connect();
  t.after(() => client.end());
  await assert.rejects(client.query('SELECT no_such_column'), (error) => !isUnavailable(error));
  await assert.rejects(client.query('SELECT pg_sleep(0.3)'), isUnavailable);
});
