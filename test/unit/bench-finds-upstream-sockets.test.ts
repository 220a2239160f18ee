import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { connectionsTo, inodesTo } from '../../bench/sockets.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:2328 01 00000000:00000000 02:00000000 00000000  1000        0 222 2 0 20 4 30 10 -1
   2: 0100007F:2328 0100007F:C350 01 00000000:00000000 02:00000000 00000000  1000        0 333 2 0 20 4 30 10 -1
`;

describe('how the benchmark counts sockets that were left open', () => {
  it('counts those whose other end is the port, not those that listen there or were accepted', () => {
    assert.deepEqual(inodesTo(TABLE, 9_000), ['222']);
    assert.deepEqual(inodesTo(TABLE, 9_001), []);
  });

  it('sees a connection of a process while it is open', async (t) => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const open = connectionsTo(process.pid, port);
    socket.destroy();
    await once(socket, 'close');
    const closed = connectionsTo(process.pid, port);
    server.close();
    if (open === undefined) t.skip('there is no /proc here');
    else assert.deepEqual([open, closed], [1, 0]);
  });
});
