import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { Closers } from './support/servers/closers.ts';
import { dropDatabasesOfRun } from './support/servers/databases.ts';
import { newRunId, removeTemporaryFolders } from './support/servers/run-context.ts';
import type { RunContext } from './support/servers/run-context.ts';
import { runStage, suiteEnvironment } from './support/servers/suite.ts';
import { testStages } from './support/servers/test-files.ts';
import { findPostgresServer, findRedisServer } from './support/servers/ways.ts';

const HELP = `npm test [-- options… files…]

Finds PostgreSQL and Redis (TEST_DATABASE_URL, TEST_REDIS_URL; Docker; the programs on this machine; installing them),
runs the given test files or all of them, and stops what it started. Options are passed on to node --test, such as
--test-name-pattern=quota.

  TEST_SERVERS=env|docker|programs|install   takes no other way than this one
  TEST_TIME_LIMIT_SECONDS=1500                stops the tests when they take longer
  TEST_CHAOS=long                             the long rounds of test/chaos (npm run test:chaos)`;

const project = resolve(import.meta.dirname, '..');

/** A run that ends early: the message for the terminal and the exit code. */
class Stopped extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  if (Number.parseInt(process.versions.node) < 24) {
    console.error(
      `The tests need Node.js 24 or newer; this is ${process.version}. "npm ci && npm test" brings its own.`,
    );
    return 1;
  }
  if (args.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const began = performance.now();
  const closers = new Closers();
  // What a run that is being stopped still finds or fails to find is of no interest.
  const say = (line: string): void => {
    if (!closers.isClosing) console.log(line);
  };
  const context: RunContext = { runId: newRunId(), env: process.env, closers, say };
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  process.once('exit', () => removeTemporaryFolders(context.runId));
  let exitCode: number;
  try {
    exitCode = await Promise.race([runAll(args, context), interruption(), timeLimit(process.env)]);
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    exitCode = error instanceof Stopped ? error.exitCode : 1;
  }
  // Also what a failure or an interruption left half-way; the last opened first: test processes, then servers.
  await closers.closeAll((problem) => console.error(problem));
  console.log(
    `npm test: ${exitCode === 0 ? 'passed' : 'failed'} after ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
  return exitCode;
}

/** 1 servers, 2 output folder, 3 the tests, one stage after the other. */
async function runAll(args: readonly string[], context: RunContext): Promise<number> {
  const files = args.filter((arg) => !arg.startsWith('-'));
  const options = args.filter((arg) => arg.startsWith('-'));
  const [postgres, redis] = await Promise.all([findPostgresServer(context), findRedisServer(context)]);
  if (postgres.way === 'env') {
    context.closers.add('the databases of this run', () => dropDatabasesOfRun(postgres.url, context.runId));
  }
  const env = suiteEnvironment(process.env, {
    runId: context.runId,
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    description: `PostgreSQL: ${postgres.way}, ${postgres.description}; Redis: ${redis.way}, ${redis.description}`,
    outputFolder: await makeOutputFolder(context.runId),
  });
  const stages = files.length > 0 ? [[{ files, concurrency: 2 }]] : testStages(project);
  let exitCode = 0;
  for (const shares of stages) {
    const { passed, executed } = await runStage(shares, { project, options, env, context });
    if (context.closers.isClosing) break; // it did not end by itself
    if (executed === 0) console.error('No test was executed: that is a failure.');
    if (!passed || executed === 0) exitCode = 1;
  }
  return exitCode;
}

// Each run has a folder of its own, so that two at the same time do not delete each other's files; what is too old to
// belong to a running one goes.
async function makeOutputFolder(runId: string): Promise<string> {
  const parent = join(project, '.test-output');
  const old = Date.now() - 30 * 60_000;
  for (const name of existsSync(parent) ? await readdir(parent) : []) {
    const folder = join(parent, name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: old }));
    if (mtimeMs < old) await rm(folder, { recursive: true, force: true });
  }
  const folder = join(parent, runId);
  await mkdir(folder, { recursive: true });
  return folder;
}

function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };
    for (const [signal, exitCode] of Object.entries(signals)) {
      process.on(signal, () => reject(new Stopped(`Stopping on ${signal} …`, exitCode)));
    }
    // npm passes a SIGTERM on to its shell, which dies without passing it on to us.
    const parent = process.ppid;
    const orphaned = (): void => {
      if (process.ppid !== parent) reject(new Stopped('Stopping: npm is gone …', 143));
    };
    if (process.env.npm_lifecycle_event !== undefined) setInterval(orphaned, 500);
    process.on('uncaughtException', reject); // a fault of our own must not leave servers behind
  });
}

function timeLimit(env: NodeJS.ProcessEnv): Promise<never> {
  const seconds = Number(env.TEST_TIME_LIMIT_SECONDS ?? 1500);
  return new Promise((_resolve, reject) => {
    const message = `The tests did not end within ${seconds} s: something in them hangs. They are killed.`;
    setTimeout(() => reject(new Stopped(message, 1)), seconds * 1000);
  });
}
