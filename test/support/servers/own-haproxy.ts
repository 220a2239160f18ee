import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { reasonOf } from './answers.ts';
import { dockerWithImage } from './docker.ts';
import type { RuntimeClient } from './docker.ts';
import { findHaproxy } from './find-haproxy.ts';
import { installPackage, installProblem } from './install.ts';
import { startServer } from './processes.ts';
import { makeTemporaryFolder, removeFolder, RUN_LABEL } from './run-context.ts';

/** The image that deploy/ uses. */
export const HAPROXY_IMAGE = 'haproxy:3.2-alpine';
const CONFIG_IN_IMAGE = '/usr/local/etc/haproxy/haproxy.cfg';

/** An HAProxy that one test has for itself. That it answers is for the caller to wait for. */
export interface OwnHaproxy {
  readonly form: 'process' | 'container';
  isRunning(): boolean;
  /** What it has logged: with `option dontlog-normal`, the requests that went wrong. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts HAProxy with a configuration whose addresses are this machine's: the program where there is one, else a
 * container in the network of the host, else the program after installing it (as root on Debian or Ubuntu).
 * TEST_SERVERS=docker forces the container.
 */
export async function startOwnHaproxy(config: string): Promise<OwnHaproxy> {
  const inDocker = process.env.TEST_SERVERS === 'docker';
  const program = inDocker ? undefined : findHaproxy(process.env);
  if (program !== undefined) return await startHaproxyProcess(program, config);

  const reasons = ['no haproxy in PATH or the usual places'];
  try {
    return await startHaproxyContainer(await dockerWithImage(HAPROXY_IMAGE), config);
  } catch (error) {
    if (inDocker) throw error;
    reasons.push(`Docker: ${reasonOf(error)}`);
  }
  const problem = installProblem();
  if (problem === undefined) {
    await installPackage('haproxy', { say: console.log });
    const installed = findHaproxy(process.env);
    if (installed !== undefined) return await startHaproxyProcess(installed, config);
  }
  throw new Error(
    `This test needs an HAProxy of its own: install haproxy or start Docker (${reasons.join('; ')})`,
  );
}

async function startHaproxyProcess(program: string, config: string): Promise<OwnHaproxy> {
  const home = await makeTemporaryFolder(process.env.TEST_RUN_ID ?? 'none', 'own-haproxy');
  process.once('exit', () => removeFolder(home));
  const file = join(home, 'haproxy.cfg');
  await writeFile(file, config);
  const server = await startServer({
    command: program,
    args: ['-db', '-f', file],
    cwd: home,
    logFile: join(home, 'haproxy.log'),
    ownGroup: false, // it goes with the test's process group when the runner kills that
  });
  return {
    form: 'process',
    isRunning: () => server.isRunning(),
    log: () => Promise.resolve(server.logTail()),
    async stop() {
      await server.stop('SIGTERM');
      removeFolder(home);
    },
  };
}

async function startHaproxyContainer(client: RuntimeClient, config: string): Promise<OwnHaproxy> {
  const { GenericContainer } = await import('testcontainers');
  const lines: string[] = [];
  const container = await new GenericContainer(HAPROXY_IMAGE)
    .withNetworkMode('host')
    .withCopyContentToContainer([{ content: config, target: CONFIG_IN_IMAGE, mode: 0o644 }])
    .withLabels({ [RUN_LABEL]: process.env.TEST_RUN_ID ?? 'none' })
    .withLogConsumer((stream) => stream.on('data', (line: Buffer | string) => lines.push(String(line))))
    .start();
  const started = client.container.getById(container.getId());
  let running = true;
  const ended = (): void => void (running = false);
  started.wait().then(ended, ended);
  return {
    form: 'container',
    isRunning: () => running,
    log: () => Promise.resolve(lines.join('')),
    stop: () => started.remove({ force: true, v: true }).then(() => undefined),
  };
}
