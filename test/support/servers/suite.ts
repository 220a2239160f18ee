import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { settledWithin } from './closers.ts';
import { makeTemporaryFolder } from './run-context.ts';
import type { RunContext } from './run-context.ts';
import type { Share } from './test-files.ts';

/** What the test files find in their environment. */
export interface SuiteSettings {
  readonly runId: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly description: string;
  readonly outputFolder: string;
}

/** The environment of the test processes: this one's, and what `requireServers` asks for. */
export function suiteEnvironment(base: NodeJS.ProcessEnv, settings: SuiteSettings): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...base,
    TEST_RUN_ID: settings.runId,
    TEST_DATABASE_URL: settings.databaseUrl,
    TEST_REDIS_URL: settings.redisUrl,
    TEST_SERVERS_DESCRIPTION: settings.description,
    TEST_OUTPUT_DIR: settings.outputFolder,
    TESTCONTAINERS_RYUK_DISABLED: base.TESTCONTAINERS_RYUK_DISABLED ?? 'true',
    // Hundreds of processes compile the same modules: half of what their start costs.
    NODE_COMPILE_CACHE: base.NODE_COMPILE_CACHE ?? join(tmpdir(), 'licensify-compile-cache'),
  };
  delete env.NODE_TEST_CONTEXT; // or a runner started by a test would report to that test instead of running
  return env;
}

export interface SuiteResult {
  readonly passed: boolean;
  /** How many tests ran, skipped ones not counted; of shares, the fewest. */
  readonly executed: number;
}

export interface SuiteOptions {
  readonly project: string;
  readonly options: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly context: RunContext;
}

/** Runs what is to run beside each other. The first share's output is streamed, the others' follows when they have ended. */
export async function runStage(shares: readonly Share[], options: SuiteOptions): Promise<SuiteResult> {
  const results = await Promise.all(
    shares.map((share, index) => runSuite(share, { ...options, isStreamed: index === 0 })),
  );
  for (const { output } of results) process.stdout.write(output);
  return {
    passed: results.every(({ passed, executed }) => passed && executed > 0),
    executed: Math.min(...results.map(({ executed }) => executed)),
  };
}

/** Runs test files under Node's test runner in a process group of its own. */
async function runSuite(
  { files, concurrency }: Share,
  { project, options, env, context, isStreamed }: SuiteOptions & { isStreamed: boolean },
): Promise<SuiteResult & { output: string }> {
  // node --test would look for files of its own choice.
  if (files.length === 0) return { passed: true, executed: 0, output: '' };
  const counts = join(await makeTemporaryFolder(context.runId, 'counts'), 'executed');
  context.closers.add('the test processes', () => stopGroup(child.pid, exited));
  const stdio = isStreamed ? 'inherit' : 'pipe';
  const child = spawn(process.execPath, [...testRunnerArguments(counts, concurrency), ...options, ...files], {
    cwd: project,
    env,
    stdio: ['ignore', stdio, stdio],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve); // by then its output is complete
  });
  exited.catch(() => undefined); // awaited below, but a closer may come first
  const code = await exited;
  const executed = (await readFile(counts, 'utf8').catch(() => '')).split('\n').length - 1;
  return { passed: code === 0, executed, output };
}

function testRunnerArguments(countsFile: string, concurrency: number): string[] {
  return [
    '--test',
    `--test-concurrency=${concurrency}`,
    '--test-timeout=120000',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${join(import.meta.dirname, 'test-counter.ts')}`,
    `--test-reporter-destination=${countsFile}`,
  ];
}

// The group, not only the child: a test file that hangs, and what it started, belong to it too.
async function stopGroup(pid: number | undefined, exited: Promise<unknown>): Promise<void> {
  if (pid === undefined) return;
  if (signalGroup(pid, 'SIGTERM')) await settledWithin(exited, 3000);
  signalGroup(pid, 'SIGKILL');
}

function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false; // nobody of the group is left
  }
}
