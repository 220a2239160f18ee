import { postgresProblem } from './answers.ts';
import type { OwnPostgres } from './own-postgres.ts';
import { onFreePort, runCommand, startServer, waitUntilReady } from './processes.ts';
import type { ServerProcess } from './processes.ts';
import { makeCluster, postgresCommand, postgresUrl } from './program-servers.ts';
import { makeTemporaryFolder, removeFolder } from './run-context.ts';

const EXIT_LIMIT_MS = 10_000;

/** A private PostgreSQL as a child of this process. It ends with this process at the latest. */
export async function startPostgresProcess(folder: string): Promise<OwnPostgres> {
  const home = await makeTemporaryFolder(process.env.TEST_RUN_ID ?? 'none', 'own-postgres');
  process.once('exit', () => removeFolder(home));
  const cluster = await makeCluster(folder, home);
  const start = async (port: number): Promise<ServerProcess> => {
    // It goes with the test's process group when the runner kills that.
    const server = await startServer(postgresCommand(folder, cluster, { port, ownGroup: false }));
    await waitUntilReady(server, async () => (await postgresProblem(postgresUrl(port))) === undefined);
    return server;
  };
  const first = await onFreePort(async (port) => ({ port, server: await start(port) }));
  const { port } = first;
  let { server } = first;

  const kill = async (): Promise<void> => {
    // First the one that starts the others, and would clean up after them.
    const children = await childrenOf(server.pid);
    server.kill('SIGKILL');
    signalAll(children, 'SIGKILL');
    if (!(await server.waitForExit(EXIT_LIMIT_MS)))
      throw new Error('PostgreSQL is still there after SIGKILL');
  };
  return {
    url: postgresUrl(port),
    form: 'process',
    kill,
    async pause() {
      // A postmaster that is paused starts no more children; those it has would go on serving by themselves.
      server.kill('SIGSTOP');
      signalAll(await childrenOf(server.pid), 'SIGSTOP');
    },
    async resume() {
      signalAll(await childrenOf(server.pid), 'SIGCONT');
      server.kill('SIGCONT');
    },
    async restart() {
      server = await start(port);
    },
    async stop() {
      if (server.isRunning()) await kill();
      removeFolder(home);
    },
  };
}

async function childrenOf(pid: number): Promise<number[]> {
  const processes = await runCommand('ps', ['-A', '-o', 'pid=,ppid=']);
  const pairs = processes
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([child = 0, parent]) => (parent === pid ? [child] : []));
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended in the meantime.
    }
  }
}
