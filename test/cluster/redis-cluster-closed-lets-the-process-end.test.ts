import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runProgram } from '../support/run-program.ts';
import { startOwnRedisCluster } from '../support/servers/own-redis-cluster.ts';

/** Disconnects in the midst of a look for nodes that a timer began, and has nothing else to do. */
const program = (url: string): string => `
  const { openRedis } = await import('./src/stores/redis.ts');
  const cluster = openRedis({ urls: ['${url}'], isCluster: true }, () => {});
  await cluster.connect();
  const holder = setTimeout(() => process.exit(3), 20_000);
  const look = cluster.refreshSlotsCache.bind(cluster);
  cluster.refreshSlotsCache = (told) => {
    look(told);
    cluster.refreshSlotsCache = look;
    cluster.disconnect();
    clearTimeout(holder);
  };
`;

it('a gateway that stops while it looks for the nodes of a Redis Cluster has nothing that keeps its process', async (t) => {
  const cluster = await startOwnRedisCluster();
  t.after(() => cluster.stop());
  const [url = ''] = cluster.url.split(',');
  // A process that does not end is killed after a minute, and has no code then.
  const { code, stderr } = await runProgram(process.execPath, ['--input-type=module', '-e', program(url)]);
  assert.equal(code, 0, stderr);
});
