import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCli } from '../../src/cli/run.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import type { Environment } from '../../src/config.ts';
import type { TestGateway } from './gateway.ts';
import { rememberSecret } from './output.ts';

export const project = resolve(import.meta.dirname, '../..');

/** What a command left behind. */
export interface CliResult {
  code: number;
  out: string;
  err: string;
}

export interface CliOptions {
  env?: Environment;
  /** What `.env` in the working directory holds. */
  envFile?: Environment;
  /** What comes on standard input. */
  input?: string;
  /** A person reads the output. */
  isInteractive?: boolean;
  /** What the person answers; without it, there is nobody to ask. The questions are added to `err`. */
  answer?: string;
}

/** Carries out a command line in this process, at a terminal that a test looks into. */
export async function licensify(args: string[], options: CliOptions = {}): Promise<CliResult> {
  const result: CliResult = { code: 0, out: '', err: '' };
  const { answer } = options;
  const terminal: Terminal = {
    environment: () => options.env ?? {},
    environmentFile: () => options.envFile ?? {},
    print: (text) => (result.out += `${text}\n`),
    write: (text) => (result.out += text),
    readInput: () => Promise.resolve(options.input ?? ''),
    complain: (text) => (result.err += `${text}\n`),
    isInteractive: options.isInteractive ?? false,
    ask:
      answer === undefined
        ? undefined
        : (question) => {
            result.err += `${question}\n`;
            return Promise.resolve(answer);
          },
    readSecret: () => Promise.resolve(options.input ?? ''),
    exit: (code) => (result.code = code),
    onStop: () => undefined,
    onReload: () => undefined,
  };
  await runCli(args, terminal);
  return result;
}

/** The same, as the administrator of a test's gateway. */
export function asAdministratorOf({ url, adminToken }: Pick<TestGateway, 'url' | 'adminToken'>) {
  return (args: string[], options: CliOptions = {}): Promise<CliResult> =>
    licensify(args, { ...options, env: { LICENSIFY_URL: url, ADMIN_TOKEN: adminToken, ...options.env } });
}

/** A process of the CLI. Its output is kept here, and never printed: it may hold keys. */
export interface CliProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Both outputs so far, as they came. */
  output(): string;
  /** Waits until the output matches, and returns what did. @throws if the process ends before, or the time does */
  waitFor(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
  /** Its exit code, or the signal that ended it. */
  ended(withinMs?: number): Promise<number | NodeJS.Signals>;
  /** Ends it, if it has not ended. */
  stop(): Promise<void>;
}

export interface SpawnOptions {
  /** Default: the one that runs this. */
  node?: string;
  /** Default: src/main.ts. */
  script?: string;
  nodeOptions?: string[];
  /** Settings; nothing of this process' own environment but `inherited` is handed on. */
  env?: Environment;
  /** A folder of the test's own: a `.env` or a `data` of the project is none of its business. */
  cwd: string;
}

/**
 * What a program under test gets of this process' environment. Where Node keeps what it has compiled is no setting, and
 * saves half of the CPU that a start takes.
 */
export function inherited(): Environment {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE };
}

/** Starts the CLI as a shell would. */
export function spawnLicensify(args: string[], options: SpawnOptions): CliProcess {
  const { node = process.execPath, script = 'src/main.ts', nodeOptions = [], env = {} } = options;
  const child = spawn(node, [...nodeOptions, join(project, script), ...args], {
    cwd: options.cwd,
    env: { ...inherited(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  // 'close' comes when the output is complete, too.
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const exit = closed.then(([code, signal]) => code ?? signal ?? 1);
  return {
    child,
    pid: child.pid ?? 0,
    output: () => output,
    waitFor: (pattern, withinMs = 60_000) =>
      matching(pattern, { child, output: () => output, withinMs, exit }),
    ended: (withinMs = 30_000) => within(exit, withinMs, () => `it did not end:\n${tail(output)}`),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exit;
    },
  };
}

interface Watched {
  child: ChildProcess;
  output: () => string;
  withinMs: number;
  exit: Promise<unknown>;
}

async function matching(
  pattern: RegExp,
  { child, output, withinMs, exit }: Watched,
): Promise<RegExpExecArray> {
  const found = new Promise<RegExpExecArray>((resolve, reject) => {
    const look = (): void => {
      const match = pattern.exec(output());
      if (match !== null) resolve(match);
    };
    look();
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    void exit.then(() => reject(new Error(`it ended before ${pattern.source}:\n${tail(output())}`)));
  });
  return within(found, withinMs, () => `no ${pattern.source} in time:\n${tail(output())}`);
}

async function within<T>(promise: Promise<T>, ms: number, message: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(message())), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The end of an output, for a failure's message: no keys. */
function tail(output: string): string {
  return output
    .slice(-2_000)
    .replaceAll(/\b(?:(?:px|lat)_[0-9A-Za-z]+|LIC-[0-9A-Z-]+|admin-[0-9a-f]+|sk-[\w-]+)/g, '[key]')
    .replaceAll(/-K [0-9a-f]+/g, '-K [key]');
}

/** Like assert.match, for an output that holds keys: a failure shows it without them. */
export function assertShows(output: string, pattern: RegExp): void {
  if (!pattern.test(output)) throw new Error(`the output does not match ${pattern.source}:\n${tail(output)}`);
}

/** Notes the keys that a command printed, so that the suite's scan looks for them elsewhere. */
export function rememberKeysIn(text: string): void {
  const forms = /(?:px|lat)_[0-9A-Za-z]{40}|LIC(?:-[0-9A-Z]{5}){5}|admin-[0-9a-f]{48}/g;
  for (const key of new Set(text.match(forms) ?? [])) rememberSecret(key);
}

/** An empty folder, removed with `using`. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'licensify-cli-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
