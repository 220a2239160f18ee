import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { settledWithin } from './closers.ts';

/** The user that a program runs as, when it is not the present one. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Where its output goes: a file, because nobody reads a pipe while the tests run. */
  readonly logFile: string;
  readonly account?: Account | undefined;
  /** In a process group of its own a Ctrl-C in the terminal does not reach it before the suite has ended. */
  readonly ownGroup: boolean;
}

/** A server running as a child of this process. */
export interface ServerProcess {
  readonly pid: number;
  isRunning(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** Sends the signal and waits; SIGKILL follows when that was not enough. */
  stop(signal: NodeJS.Signals): Promise<void>;
  /** Waits until the process has gone, at most so long. */
  waitForExit(limitMs: number): Promise<boolean>;
  logTail(): string;
}

// The last resort: whatever way this process ends, its children go with it.
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

function track(child: ChildProcess): Promise<void> {
  children.add(child);
  return new Promise((resolve) => {
    const gone = (): void => {
      children.delete(child);
      resolve();
    };
    child.once('exit', gone);
    child.once('error', gone);
  });
}

/** Starts a server; that it answers is for `waitUntilReady`. */
export async function startServer(options: ServerCommand): Promise<ServerProcess> {
  const log = openSync(options.logFile, 'a');
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    stdio: ['ignore', log, log],
    detached: options.ownGroup,
    ...options.account,
  });
  child.unref(); // a test that forgets to stop it ends all the same, and takes it along
  const exited = track(child);
  const spawned = new Promise<number>((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', reject);
  });
  closeSync(log);
  const pid = await spawned;
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    isRunning,
    kill: (signal) => void child.kill(signal),
    waitForExit: (limitMs) => settledWithin(exited, limitMs),
    logTail: () => readFileSync(options.logFile, 'utf8').trimEnd().split('\n').slice(-12).join('\n'),
    async stop(signal) {
      if (!isRunning()) return;
      child.kill(signal);
      if (await settledWithin(exited, 8000)) return;
      child.kill('SIGKILL');
      await settledWithin(exited, 8000);
    },
  };
}

/** Polls until the server answers; throws with the end of its log when it exits instead or takes too long. */
export async function waitUntilReady(
  server: Pick<ServerProcess, 'isRunning' | 'logTail'>,
  answers: () => Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    if (!server.isRunning()) throw new Error(`it exited at its start:\n${server.logTail()}`);
    if (await answers()) return;
    await sleep(50);
  }
  throw new Error(`it did not answer within ${limitMs / 1000} s:\n${server.logTail()}`);
}

/** Runs a command to its end and returns what it printed; throws with its error output when it fails. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd?: string; account?: Account | undefined; timeoutMs?: number } = {},
): Promise<string> {
  return await new Promise((resolve, reject) => {
    const { cwd, account, timeoutMs = 60_000 } = options;
    const settings = {
      encoding: 'utf8',
      timeout: timeoutMs,
      ...(cwd === undefined ? {} : { cwd }),
      ...account,
    } as const;
    const child = execFile(command, [...args], settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command} failed: ${stderr.trim() || error.message}`));
    });
    void track(child);
  });
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no TCP port to listen on');
  return address.port;
}

/** Starts something on a free port, on another one when the first was taken in between. */
export async function onFreePort<T>(start: (port: number) => Promise<T>, attempts = 3): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt >= attempts) throw error;
    }
  }
}
