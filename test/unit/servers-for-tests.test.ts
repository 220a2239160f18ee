import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { postgresProblem, redisProblem } from '../support/servers/answers.ts';
import {
  createTestDatabase,
  listTestDatabases,
  requireServers,
  testRedisUrl,
} from '../support/servers/databases.ts';
import { startOwnRedis } from '../support/servers/own-redis.ts';
import { suiteEnvironment } from '../support/servers/suite.ts';

const run = promisify(execFile);
const project = resolve(import.meta.dirname, '../..');

test('the test processes get the servers, the run and the output folder, and no runner of their parent', () => {
  const settings = {
    runId: 'r1',
    databaseUrl: 'postgres://d',
    redisUrl: 'redis://r',
    description: 'both',
    outputFolder: '/out',
  };
  const env = suiteEnvironment(
    { PATH: '/bin', NODE_TEST_CONTEXT: 'child-v8', TEST_REDIS_URL: 'old', NODE_COMPILE_CACHE: '/cache' },
    settings,
  );
  assert.deepEqual(env, {
    PATH: '/bin',
    TEST_RUN_ID: 'r1',
    TEST_DATABASE_URL: 'postgres://d',
    TEST_REDIS_URL: 'redis://r',
    TEST_SERVERS_DESCRIPTION: 'both',
    TEST_OUTPUT_DIR: '/out',
    TESTCONTAINERS_RYUK_DISABLED: 'true',
    NODE_COMPILE_CACHE: '/cache',
  });
});

test('the servers of this run answer and its output folder is there', async () => {
  const { databaseUrl, redisUrl, outputFolder } = requireServers();
  assert.equal(await postgresProblem(databaseUrl), undefined);
  assert.equal(await redisProblem(redisUrl), undefined);
  assert.equal(await redisProblem(testRedisUrl(15)), undefined);
  assert.ok(existsSync(outputFolder));
});

test('test databases are separate, listed for the leak scan, and can be dropped', async () => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  assert.notEqual(one.url, two.url);
  assert.equal(await postgresProblem(one.url), undefined);
  await one.drop();
  assert.match((await postgresProblem(one.url)) ?? '', /does not exist/);
  const listed = (await listTestDatabases()).map(({ url }) => url);
  assert.ok(listed.includes(two.url) && !listed.includes(one.url));
});

test('without the runner a test says how to run it', () => {
  const { TEST_DATABASE_URL } = process.env;
  delete process.env.TEST_DATABASE_URL;
  try {
    assert.throws(requireServers, /npm test -- <file>/);
  } finally {
    process.env.TEST_DATABASE_URL = TEST_DATABASE_URL;
  }
});

test('an own Redis is paused, killed and started again on the same port, with its data when it keeps a file', async (t) => {
  const redis = await startOwnRedis({ appendOnly: true });
  t.after(() => redis.stop());
  const { Redis } = await import('ioredis');
  const client = new Redis(redis.url, { retryStrategy: () => 50, commandTimeout: 5000 });
  t.after(() => client.disconnect());
  client.on('error', () => undefined);
  await client.set('kept', 'yes');

  await redis.pause();
  assert.notEqual(await redisProblem(redis.url), undefined);
  await redis.resume();
  assert.equal(await redisProblem(redis.url), undefined);

  await redis.kill();
  assert.notEqual(await redisProblem(redis.url), undefined);
  await redis.restart();
  assert.equal(await client.get('kept'), 'yes');

  await redis.restart({ empty: true });
  assert.equal(await client.get('kept'), null);
});

test('a run without a test, a failing run and a run that hangs all fail', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'servers-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const outcomeOf = async (
    source: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ code: unknown; output: string }> => {
    const file = join(folder, 'one.test.ts');
    await writeFile(file, source);
    // It takes this run's servers, so it is quick.
    const options = { cwd: project, env: { ...process.env, TEST_SERVERS: 'env', ...env } };
    return await run(process.execPath, ['test/run.ts', file], options).then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      (error: unknown) => {
        const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
        return { code, output: stdout + stderr };
      },
    );
  };
  const passing = await outcomeOf("import { test } from 'node:test'; test('passes', () => {});");
  assert.equal(passing.code, 0, passing.output);
  const empty = await outcomeOf('export {};');
  assert.equal(empty.code, 1);
  assert.match(empty.output, /No test was executed/);
  const failing = await outcomeOf(
    "import { test } from 'node:test'; test('fails', () => { throw new Error('x'); });",
  );
  assert.equal(failing.code, 1);
  const hanging = await outcomeOf('setInterval(() => {}, 1000);', { TEST_TIME_LIMIT_SECONDS: '3' });
  assert.equal(hanging.code, 1);
  assert.match(hanging.output, /did not end within 3 s/);
});
