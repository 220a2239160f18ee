import { setTimeout as sleep } from 'node:timers/promises';

import { redisProblem } from './answers.ts';
import { REDIS_IMAGE } from './docker.ts';
import type { RuntimeClient } from './docker.ts';
import { ownRedisArguments } from './own-redis-process.ts';
import type { OwnRedis, OwnRedisOptions } from './own-redis.ts';
import { onFreePort, waitUntilReady } from './processes.ts';
import { RUN_LABEL } from './run-context.ts';

type Container = ReturnType<RuntimeClient['container']['getById']>;

/** A private Redis in a container with a fixed port. The runner removes it at the end if the test does not. */
export async function startRedisInContainer(
  client: RuntimeClient,
  options: OwnRedisOptions,
): Promise<OwnRedis> {
  const { GenericContainer } = await import('testcontainers');
  const create = async (port: number): Promise<Container> => {
    const started = await new GenericContainer(REDIS_IMAGE)
      .withCommand(['redis-server', '--save', '', ...ownRedisArguments(options)])
      .withExposedPorts({ container: 6379, host: port })
      .withLabels({ [RUN_LABEL]: process.env.TEST_RUN_ID ?? 'none' })
      .start();
    return client.container.getById(started.getId());
  };
  const { host } = client.info.containerRuntime;
  const first = await onFreePort(async (port) => ({ port, container: await create(port) }));
  const { port } = first;
  let { container } = first;
  const url = `redis://${host}:${port}`;
  const remove = (): Promise<unknown> => container.remove({ force: true, v: true });

  return {
    url,
    port,
    form: 'container',
    async kill(signal = 'SIGKILL') {
      await container.kill({ signal });
      await untilStopped(container);
    },
    pause: () => container.pause().then(() => undefined),
    resume: () => container.unpause().then(() => undefined),
    async restart({ empty = false } = {}) {
      if (empty) {
        await remove();
        container = await create(port);
        return;
      }
      const { State } = await container.inspect();
      if (State.Paused) await container.unpause();
      if (State.Running) await container.restart({ t: 10 });
      else await container.start();
      const server = { isRunning: () => true, logTail: () => '(see docker logs)' };
      await waitUntilReady(server, async () => (await redisProblem(url)) === undefined);
    },
    stop: () => remove().then(() => undefined),
  };
}

async function untilStopped(container: Container): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    if (!(await container.inspect()).State.Running) return;
    await sleep(50);
  }
  throw new Error('the Redis container is still running after it was told to end');
}
