import { chown } from 'node:fs/promises';
import { join } from 'node:path';

import { postgresProblem, redisProblem } from './answers.ts';
import { onFreePort, runCommand, startServer, waitUntilReady } from './processes.ts';
import type { Account, ServerCommand } from './processes.ts';
import { isRoot, makeTemporaryFolder } from './run-context.ts';
import type { RunContext } from './run-context.ts';

/** A server to run the tests against. The URL may hold a password, the description does not. */
export interface StartedServer {
  readonly url: string;
  readonly description: string;
}

/** Starts the `postgres` of this folder on a free port with a database cluster of its own. */
export async function startPostgresProgram(folder: string, context: RunContext): Promise<StartedServer> {
  const home = await makeTemporaryFolder(context.runId, 'postgres');
  const making = makeCluster(folder, home);
  context.closers.add('initdb', () => making); // its children would go on writing after it was killed
  const cluster = await making;

  return await onFreePort(async (port) => {
    context.closers.add('PostgreSQL', async () => (await starting).stop('SIGQUIT')); // at once: its data is thrown away
    const starting = startServer(postgresCommand(folder, cluster, { port, ownGroup: true }));
    const url = postgresUrl(port);
    await waitUntilReady(await starting, async () => (await postgresProblem(url)) === undefined);
    return { url, description: `${join(folder, 'postgres')} on port ${port}` };
  });
}

/** Where a cluster lies, and as whom to run it. */
export interface Cluster {
  readonly home: string;
  readonly account: Account | undefined;
}

/** Makes a database cluster in a folder with the `initdb` beside `postgres`. */
export async function makeCluster(folder: string, home: string): Promise<Cluster> {
  const account = await unprivilegedAccount();
  if (account !== undefined) await chown(home, account.uid, account.gid);
  const data = join(home, 'data');
  const initdb = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
  await runCommand(join(folder, 'initdb'), initdb, { cwd: home, account });
  return { home, account };
}

/** How to start `postgres` on such a cluster. */
export function postgresCommand(
  folder: string,
  { home, account }: Cluster,
  { port, ownGroup }: { port: number; ownGroup: boolean },
): ServerCommand {
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${home}`, 'max_connections=300'];
  // Nothing here outlives the machine. synchronous_commit stays on: the order of commits is part of what is tested.
  settings.push('fsync=off', 'full_page_writes=off');
  return {
    command: join(folder, 'postgres'),
    args: ['-D', join(home, 'data'), '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    cwd: home,
    logFile: join(home, 'postgres.log'),
    account,
    ownGroup,
  };
}

export function postgresUrl(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

/** Starts this `redis-server` on a free port, without persistence. */
export async function startRedisProgram(program: string, context: RunContext): Promise<StartedServer> {
  const home = await makeTemporaryFolder(context.runId, 'redis');
  return await onFreePort(async (port) => {
    context.closers.add('Redis', async () => (await starting).stop('SIGTERM'));
    const starting = startServer({
      command: program,
      args: [...redisArguments(port, home), '--databases', '16', '--appendonly', 'no'],
      cwd: home,
      logFile: join(home, 'redis.log'),
      ownGroup: true,
    });
    const url = `redis://127.0.0.1:${port}`;
    await waitUntilReady(await starting, async () => (await redisProblem(url)) === undefined);
    return { url, description: `${program} on port ${port}` };
  });
}

/** The arguments of every redis-server process of the tests. */
export function redisArguments(port: number, folder: string): string[] {
  return ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--daemonize', 'no'];
}

// PostgreSQL refuses to run as root: it then runs as `postgres`, which Debian's package makes, or as `nobody`.
async function unprivilegedAccount(): Promise<Account | undefined> {
  if (!isRoot()) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = [await runCommand('id', ['-u', name]), await runCommand('id', ['-g', name])];
      return { uid: Number(uid), gid: Number(gid) };
    } catch {
      continue; // no such user; the error below says so when there is neither
    }
  }
  throw new Error(
    'PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody" to run it as',
  );
}
