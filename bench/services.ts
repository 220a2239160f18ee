import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { settledWithin } from '../test/support/servers/closers.ts';

/** A program of ours in a process of its own. */
export interface Service {
  readonly pid: number;
  readonly url: string;
  /** The last lines of its log that tell of errors; '' where it wrote none lately. */
  lastErrors(): string;
  stop(): Promise<void>;
}

export interface ServiceOptions {
  /** Goes in front of node: `taskset -c 0`. */
  prefix?: readonly string[];
  nodeArguments?: readonly string[];
  arguments?: readonly string[];
  /** In place of node. */
  program?: string;
  /** Where it will listen, of a program that does not say so itself. */
  url?: string;
  /** All of its environment, besides PATH. */
  env?: Readonly<Record<string, string>>;
  /** Where it runs and its output goes. Not the project: a developer's .env is no part of a benchmark. */
  folder: string;
}

const START_LIMIT_MS = 30_000;

// The last resort: whatever way this process ends, its children go with it.
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/**
 * Starts one of our programs and waits until it says on standard output where it listens.
 * @param name for people, and of its output files
 */
export async function startService(name: string, script: string, options: ServiceOptions): Promise<Service> {
  const { prefix = [], nodeArguments = [], folder, env = {} } = options;
  const output = join(folder, `${name}.out`);
  const errors = join(folder, `${name}.err`);
  const line = [
    ...prefix,
    options.program ?? process.execPath,
    ...nodeArguments,
    script,
    ...(options.arguments ?? []),
  ];
  const [command = '', ...args] = line;
  const [out, err] = [openSync(output, 'a'), openSync(errors, 'a')];
  const child = spawn(command, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', out, err],
  });
  children.add(child);
  closeSync(out);
  closeSync(err);
  const exited = once(child, 'exit').finally(() => children.delete(child));
  exited.catch(() => undefined); // a program that could not be started: reported below
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} could not be started`);
  return {
    pid,
    url: await listeningAt(name, child, { output, errors, url: options.url }),
    lastErrors: () => errorsIn(tailOf(output)),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      if (!(await settledWithin(exited, 10_000))) child.kill('SIGKILL');
      await exited;
    },
  };
}

async function listeningAt(
  name: string,
  child: ChildProcess,
  { output, errors, url: given }: { output: string; errors: string; url: string | undefined },
): Promise<string> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    // The simulator and the relay print their URL; the gateway's log line holds it as "url".
    const url = /(?:^|"url":")(http:\/\/[^"\s]+)/m.exec(readFileSync(output, 'utf8'))?.[1];
    if (given === undefined && url !== undefined) return url;
    if (given !== undefined && (await accepts(given))) return given;
    if (child.exitCode !== null) break;
    await sleep(50);
  }
  throw new Error(`${name} did not start:\n${readFileSync(errors, 'utf8').trim()}`);
}

function accepts(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname);
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

const TAIL_BYTES = 262_144;
const ERRORS_SHOWN = 3;

function tailOf(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const start = Math.max(0, fstatSync(descriptor).size - TAIL_BYTES);
    const buffer = Buffer.alloc(TAIL_BYTES);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, TAIL_BYTES, start));
  } finally {
    closeSync(descriptor);
  }
}

function errorsIn(log: string): string {
  const lines = log.split('\n').filter((line) => line.includes('"level":"error"'));
  return lines
    .slice(-ERRORS_SHOWN)
    .map((line) => `\n  ${line.slice(0, 400)}`)
    .join('');
}
