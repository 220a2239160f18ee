import { RUN_LABEL } from './run-context.ts';
import type { RunContext } from './run-context.ts';
import { settledWithin } from './closers.ts';
import type { StartedServer } from './program-servers.ts';

export const POSTGRES_IMAGE = 'postgres:17-alpine';
export const REDIS_IMAGE = 'redis:7-alpine';

const ENGINE_LIMIT_MS = 3000;
const PULL_LIMIT_MS = 180_000;

/**
 * Instead of the module's own check, which starts a process in the container four times a second for as long as it runs:
 * a tenth of what two cores can do.
 */
const NEVER_ASKED = { test: ['CMD-SHELL', 'true'] as ['CMD-SHELL', string], interval: 24 * 3_600_000 };

const DATA_FOLDER = '/var/lib/postgresql/data';
/**
 * From so many bytes of memory on, the databases are kept there; a run makes 400, which take 4 GB. On a disk with ext4 a
 * new database can take a quarter of a second of CPU after another run has been cleaned up: for each of its 300 files
 * the system goes through all that were deleted in the last minutes.
 */
const PLENTY = 15e9;

type Testcontainers = typeof import('testcontainers');
/** Testcontainers' connection to the engine that it found. */
export type RuntimeClient = Awaited<ReturnType<Testcontainers['getContainerRuntimeClient']>>;

// Imported when it is needed: it takes most of a second, and the other ways do without. The containers are removed by
// us, so that no third image (Ryuk) has to be pulled.
async function testcontainers(): Promise<Testcontainers> {
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  return await import('testcontainers');
}

/** The Docker engine, if it answers quickly, with this image on it, pulled if need be; else throws why not. */
export async function dockerWithImage(image: string): Promise<RuntimeClient> {
  const { getContainerRuntimeClient, ImageName } = await testcontainers();
  const engine = getContainerRuntimeClient().catch(() => undefined);
  if (!(await settledWithin(engine, ENGINE_LIMIT_MS)))
    throw new Error('the engine does not answer within 3 s');
  const client = await engine;
  if (client === undefined) throw new Error('no engine answers');
  const name = ImageName.fromString(image);
  if (await client.image.exists(name)) return client;
  const pull = client.image.pull(name).then(
    () => 'the registry has it not', // pull() resolves for a stream that ended in an error, too
    (error: unknown) => String(error),
  );
  if (!(await settledWithin(pull, PULL_LIMIT_MS)))
    throw new Error(`pulling ${image} takes over ${PULL_LIMIT_MS / 1000} s`);
  if (!(await client.image.exists(name)))
    throw new Error(`${image} is not there and cannot be pulled: ${await pull}`);
  return client;
}

/** Starts PostgreSQL in a container. */
export async function startPostgresContainer(context: RunContext): Promise<StartedServer> {
  const client = await dockerWithImage(POSTGRES_IMAGE);
  const [{ PostgreSqlContainer }, { Wait }] = await Promise.all([
    import('@testcontainers/postgresql'),
    testcontainers(),
  ]);
  const { MemTotal: memory } = (await client.container.dockerode.info()) as { MemTotal: number };
  const data: Record<string, string> = memory < PLENTY ? {} : { [DATA_FOLDER]: 'rw,size=6g' };
  const settings = ['max_connections=300', 'fsync=off', 'full_page_writes=off'];
  const container = await started(context, client, 'the PostgreSQL container', () =>
    new PostgreSqlContainer(POSTGRES_IMAGE)
      .withDatabase('postgres')
      .withUsername('postgres')
      .withPassword('test')
      .withCommand(['postgres', ...settings.flatMap((setting) => ['-c', setting])])
      // Once from the server that only sets it up, and once from the one that stays.
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
      .withHealthCheck(NEVER_ASKED)
      .withTmpFs(data)
      .withLabels({ [RUN_LABEL]: context.runId })
      .start(),
  );
  return {
    url: container.getConnectionUri(),
    description: `${POSTGRES_IMAGE} on port ${container.getPort()}`,
  };
}

/** Starts Redis in a container. */
export async function startRedisContainer(context: RunContext): Promise<StartedServer> {
  const client = await dockerWithImage(REDIS_IMAGE);
  const { RedisContainer } = await import('@testcontainers/redis');
  const container = await started(context, client, 'the Redis container', () =>
    new RedisContainer(REDIS_IMAGE)
      .withCommand(['redis-server', '--databases', '16', '--save', '', '--appendonly', 'no'])
      .withLabels({ [RUN_LABEL]: context.runId })
      .start(),
  );
  return { url: container.getConnectionUrl(), description: `${REDIS_IMAGE} on port ${container.getPort()}` };
}

// The closer goes by label, so that it finds the container of a start that failed or was interrupted half-way as well.
async function started<T>(
  context: RunContext,
  client: RuntimeClient,
  name: string,
  start: () => Promise<T>,
): Promise<T> {
  context.closers.add(name, async () => {
    await settledWithin(starting, 10_000);
    await removeContainersOfRun(client, context.runId);
  });
  const starting = start();
  return await starting;
}

/** Removes every container of a run with its volumes, whoever started it. */
export async function removeContainersOfRun(client: RuntimeClient, runId: string): Promise<void> {
  const filters = { label: [`${RUN_LABEL}=${runId}`] };
  const containers = await client.container.dockerode.listContainers({ all: true, filters });
  await Promise.all(
    containers.map(({ Id }) => client.container.getById(Id).remove({ force: true, v: true })),
  );
}
