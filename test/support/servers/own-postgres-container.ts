import { postgresProblem } from './answers.ts';
import { POSTGRES_IMAGE } from './docker.ts';
import type { RuntimeClient } from './docker.ts';
import type { OwnPostgres } from './own-postgres.ts';
import { onFreePort, waitUntilReady } from './processes.ts';
import { RUN_LABEL } from './run-context.ts';

type Container = ReturnType<RuntimeClient['container']['getById']>;

/** A private PostgreSQL in a container with a fixed port. The runner removes it at the end if the test does not. */
export async function startPostgresInContainer(client: RuntimeClient): Promise<OwnPostgres> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const create = async (port: number): Promise<Container> => {
    const started = await new GenericContainer(POSTGRES_IMAGE)
      .withEnvironment({ POSTGRES_PASSWORD: 'test' })
      .withCommand(['postgres', '-c', 'max_connections=300', '-c', 'fsync=off', '-c', 'full_page_writes=off'])
      .withExposedPorts({ container: 5432, host: port })
      .withLabels({ [RUN_LABEL]: process.env.TEST_RUN_ID ?? 'none' })
      // Once from the server that only sets it up, and once from the one that stays.
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
      .start();
    return client.container.getById(started.getId());
  };
  const { host } = client.info.containerRuntime;
  const { port, container } = await onFreePort(async (free) => ({
    port: free,
    container: await create(free),
  }));
  const url = `postgres://postgres:test@${host}:${port}/postgres`;
  const untilReady = async (): Promise<void> => {
    const server = { isRunning: () => true, logTail: () => '(see docker logs)' };
    await waitUntilReady(server, async () => (await postgresProblem(url)) === undefined);
  };
  await untilReady();

  return {
    url,
    form: 'container',
    async kill() {
      await container.kill({ signal: 'SIGKILL' });
      await container.wait();
    },
    pause: () => container.pause().then(() => undefined),
    resume: () => container.unpause().then(() => undefined),
    async restart() {
      await container.start();
      await untilReady();
    },
    stop: () => container.remove({ force: true, v: true }).then(() => undefined),
  };
}
