import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { licensify, temporaryFolder } from '../support/cli.ts';
import { examined, foundOf } from '../support/doctor/findings.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startOwnRedis, type OwnRedis } from '../support/servers/own-redis.ts';

let redis: OwnRedis;
let gateway: TestGateway;
let env: Record<string, string | undefined>;
const folder = temporaryFolder();
before(async () => {
  chmodSync(folder.path, 0o700);
  redis = await startOwnRedis({ appendOnly: true });
  gateway = await startTestGateway({ env: { REDIS_URL: redis.url, DATA_DIR: folder.path } });
  env = { ...gateway.env, PUBLIC_URL: gateway.url };
});
after(async () => {
  await gateway.close();
  await redis.stop();
  folder[Symbol.dispose]();
});

it('nothing fails on the machine of a gateway that serves, and the exit code says so', async () => {
  await gateway.device();
  const result = await examined(env);
  assert.deepEqual(
    result.findings.filter(({ state }) => state === 'fail'),
    [],
  );
  assert.equal(result.code, 0);
  const checks = [
    ['settings', /^ok: all are valid/],
    ['database', /^(?:ok|warn): PostgreSQL at .+, version \d+.*, answers in [\d.]+ ms/],
    ['database connections', /^(?:ok|warn): \d+ connections .* enough for \d+ instances of 16/],
    ['migrations', /^ok: all \d+ are there$/],
    ['redis', /^(?:ok|warn): Redis at .+, version \d+\.\d+\.\d+, answers in [\d.]+ ms/],
    ['redis persistence', /^ok: appendonly yes$/],
    ['redis eviction', /^ok: maxmemory-policy noeviction$/],
    ['redis memory', /^ok: \d+ MB used of no maximum$/],
    ['clocks', /^ok: this machine and PostgreSQL and Redis agree within 1 s$/],
    ['tiers', /^ok: free, pro, enterprise \(built in\)$/],
    ['tiers in use', /^ok: /],
    ['master key', /^ok: /],
    ['data folder', /^ok: .+ is for this user alone$/],
    ['provider openai', /^ok: 127\.0\.0\.1:\d+ accepts the key$/],
    ['provider anthropic', /^ok: 127\.0\.0\.1:\d+ accepts the key$/],
    ['public url', /^ok: .+\/health is answered by a gateway$/],
    ['client addresses', /^ok: TRUST_PROXY=0 fits the proxies in front$/],
  ] as const;
  for (const [check, expected] of checks) assert.match(foundOf(result, check).join('\n'), expected, check);
});

it('prints one line a check, and no secret of the settings', async () => {
  const { out, err, code } = await licensify(['doctor'], {
    env: { ...env, DATABASE_URL: withPassword(env) },
  });
  assert.equal(code, 0, out);
  assert.match(out, /^ok {4}settings {14}all are valid/m);
  assert.match(out, /^ok {4}redis eviction {8}maxmemory-policy noeviction$/m);
  for (const name of ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'ADMIN_TOKEN'])
    assert.ok(!(out + err).includes(env[name] ?? ''), name);
  assert.doesNotMatch(out + err, /hush/);
});

/** The tests' PostgreSQL trusts whoever connects from this machine. */
function withPassword({ DATABASE_URL: url = '' }: typeof env): string {
  const parsed = new URL(url);
  if (parsed.password === '') parsed.password = 'hush';
  return parsed.href;
}
