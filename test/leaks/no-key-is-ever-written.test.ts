import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import pg from 'pg';
import { outputFolder } from '../support/output.ts';
import { listTestDatabases, testRedisUrl } from '../support/servers/databases.ts';

/**
 * Runs after the whole suite: nothing that any of its gateways wrote holds a key that the suite made. Keys are found
 * by their form, in plain and in the hexadecimal that PostgreSQL prints bytes in; each is then looked up among those
 * made, so that a made-up key in a test of refusals does not count.
 */
const FORMS =
  /(?:px|lat)_[0-9A-Za-z]{40}|LIC(?:-[0-9A-Z]{5}){5}|whsec_[A-Za-z0-9+/]{43}=|sk-[\w-]{16,}|admin-[0-9a-f]{48}/g;
const HEX_FORMS = /(?:70785f|6c61745f|4c49432d|77687365635f|736b2d|61646d696e2d)(?:[0-9a-f]{2}){13,60}/g;

const secrets = new Set<string>();
/** Secrets of no known form are searched for one by one; there are few. */
const oddSecrets = new Set<string>();
const MANY = 200;

function filesIn(folder: string): { name: string; text: string }[] {
  const path = outputFolder(folder);
  return readdirSync(path).map((name) => ({ name, text: readFileSync(join(path, name), 'utf8') }));
}

function leaksIn(text: string): string[] {
  const plain = text.match(FORMS) ?? [];
  const decoded = (text.match(HEX_FORMS) ?? []).map((hex) => Buffer.from(hex, 'hex').toString('latin1'));
  const candidates = [...plain, ...decoded.flatMap((bytes) => bytes.match(FORMS) ?? [])];
  const odd = [...oddSecrets].filter((secret) => text.includes(secret) || text.includes(hexOf(secret)));
  const found = [...candidates.filter((candidate) => secrets.has(candidate)), ...odd];
  // Enough of it to find the place; a test's output is no place for a key either.
  return found.map((secret) => `${secret.slice(0, 10)}…`);
}

function hexOf(secret: string): string {
  return Buffer.from(secret).toString('hex');
}

function learn(secret: string): void {
  const isFormed = secret.match(FORMS)?.[0] === secret;
  if (isFormed) secrets.add(secret);
  else if (secret !== '') oddSecrets.add(secret);
}

function assertNoLeak(sources: { name: string; text: string }[]): void {
  const leaks = sources.flatMap(({ name, text }) => leaksIn(text).map((secret) => `${secret} in ${name}`));
  assert.deepEqual(leaks, []);
}

describe('after the whole suite', () => {
  let redis: Redis;
  before(() => {
    for (const { text } of filesIn('secrets')) text.split('\n').forEach(learn);
    redis = new Redis(testRedisUrl());
  });
  after(() => redis.disconnect());

  it('the scan finds each secret where there is one, in plain and in hexadecimal', () => {
    assert.ok(secrets.size > 3, 'the suite made no secrets');
    assert.ok(oddSecrets.size < MANY, 'the scan ought to know the form of what there is so much of');
    for (const secret of [...secrets, ...oddSecrets]) {
      const missed = `the scan does not find ${secret.slice(0, 6)}…`;
      assert.notDeepEqual(leaksIn(`{"x":"${secret}"}`), [], missed);
      assert.notDeepEqual(leaksIn(`\\x${hexOf(secret)}`), [], missed);
    }
  });

  it('no log holds a key', (t) => {
    const logs = filesIn('logs');
    t.diagnostic(`${logs.length} logs, ${logs.reduce((sum, { text }) => sum + text.length, 0)} characters`);
    assert.ok(logs.some(({ text }) => text.includes('request ended')));
    assertNoLeak(logs);
  });

  it('no /metrics holds a key, a license or a device', () => {
    const metrics = filesIn('metrics');
    assert.ok(metrics.some(({ text }) => text.includes('licensify_requests_total{')));
    assertNoLeak(metrics);
    for (const { name, text } of metrics) assert.doesNotMatch(text, /lic_[0-9a-f]{24}|px_|LIC-/, name);
  });

  it('no database holds a key', async () => {
    const databases = await listTestDatabases();
    const embedded = filesIn('embedded');
    assert.ok(databases.length > 0 && embedded.length > 0);
    for (const { name, url } of databases) assertNoLeak([{ name, text: await dumpOf(url) }]);
    assertNoLeak(embedded);
  });

  it('no Redis key or value holds a key', async (t) => {
    let count = 0;
    for await (const names of redis.scanStream({ count: 500 }) as AsyncIterable<string[]>) {
      count += names.length;
      assertNoLeak(
        await Promise.all(names.map(async (name) => ({ name, text: name + (await valueOf(redis, name)) }))),
      );
    }
    t.diagnostic(`${count} keys`);
    assert.ok(count > 0);
  });
});

async function dumpOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
    );
    const dumps: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
      dumps.push(...rows.map(({ row }) => row));
    }
    return dumps.join('\n');
  } finally {
    await client.end();
  }
}

async function valueOf(redis: Redis, name: string): Promise<string> {
  switch (await redis.type(name)) {
    case 'string':
      return (await redis.get(name)) ?? '';
    case 'stream':
      return JSON.stringify(await redis.xrange(name, '-', '+'));
    case 'hash':
      return JSON.stringify(await redis.hgetall(name));
    case 'zset':
      return (await redis.zrange(name, '0', '-1')).join('\n');
    case 'set':
      return (await redis.smembers(name)).join('\n');
    case 'list':
      return (await redis.lrange(name, '0', '-1')).join('\n');
    default:
      return '';
  }
}
