import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { redisProblem } from './answers.ts';
import type { OwnRedis, OwnRedisOptions } from './own-redis.ts';
import { onFreePort, startServer, waitUntilReady } from './processes.ts';
import type { ServerProcess } from './processes.ts';
import { redisArguments } from './program-servers.ts';
import { makeTemporaryFolder, removeFolder } from './run-context.ts';

const EXIT_LIMIT_MS = 10_000;

/** The arguments that the options of an own Redis come to. */
export function ownRedisArguments(options: OwnRedisOptions): string[] {
  const { appendOnly = false, appendFsync = 'everysec', args = [] } = options;
  return ['--appendonly', appendOnly ? 'yes' : 'no', '--appendfsync', appendFsync, ...args];
}

/** A private redis-server as a child of this process. It ends with this process at the latest. */
export async function startRedisProcess(program: string, options: OwnRedisOptions): Promise<OwnRedis> {
  const home = await makeTemporaryFolder(process.env.TEST_RUN_ID ?? 'none', 'own-redis');
  process.once('exit', () => removeFolder(home));
  const data = join(home, 'data');
  const start = async (port: number): Promise<ServerProcess> => {
    await mkdir(data, { recursive: true });
    const server = await startServer({
      command: program,
      args: [...redisArguments(port, data), ...ownRedisArguments(options)],
      cwd: home,
      logFile: join(home, 'redis.log'),
      ownGroup: false, // it goes with the test's process group when the runner kills that
    });
    await waitUntilReady(server, async () => (await redisProblem(`redis://127.0.0.1:${port}`)) === undefined);
    return server;
  };
  const first = await onFreePort(async (port) => ({ port, server: await start(port) }));
  const { port } = first;
  let { server } = first;

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    form: 'process',
    async kill(signal = 'SIGKILL') {
      server.kill(signal);
      if (!(await server.waitForExit(EXIT_LIMIT_MS))) throw new Error(`Redis is still there after ${signal}`);
    },
    pause() {
      server.kill('SIGSTOP');
      return Promise.resolve();
    },
    resume() {
      server.kill('SIGCONT');
      return Promise.resolve();
    },
    async restart({ empty = false } = {}) {
      server.kill('SIGCONT'); // a paused process does not see the SIGTERM
      await server.stop('SIGTERM');
      if (empty) await rm(data, { recursive: true, force: true });
      server = await start(port);
    },
    async stop() {
      await server.stop('SIGKILL');
      removeFolder(home);
    },
  };
}
