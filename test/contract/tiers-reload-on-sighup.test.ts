import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { asAdministratorOf, rememberKeysIn, spawnLicensify, temporaryFolder } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { createTestDatabase } from '../support/servers/databases.ts';

const folder = temporaryFolder();
const file = join(folder.path, 'tiers.toml');
const adminToken = 'a-token-of-the-reload-test';
let gateway: ReturnType<typeof spawnLicensify>;
let url: string;
let internalUrl: string;

const tier = (id: string, daily: number | string): string =>
  `[tiers.${id}]\nname = "${id}"\ndaily_limit = ${daily}\nmonthly_limit = -1\nmax_devices = 1\n`;

/** Writes the file, sends the signal, and waits until the process has logged what came of it. */
async function reload(content: string, logged: RegExp): Promise<void> {
  writeFileSync(file, content);
  gateway.child.kill('SIGHUP');
  await gateway.waitFor(logged);
}

async function limitOf(id: string): Promise<number | undefined> {
  const answer = (await (await fetch(`${url}/tiers`)).json()) as {
    tiers: { id: string; daily_limit: number }[];
  };
  return answer.tiers.find((shown) => shown.id === id)?.daily_limit;
}

before(async () => {
  writeFileSync(file, tier('basic', 5));
  const database = await createTestDatabase();
  const env = {
    PORT: '0',
    INTERNAL_PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: database.url,
    ADMIN_TOKEN: adminToken,
    TIERS_FILE: file,
  };
  gateway = spawnLicensify(['serve', '--json'], { cwd: folder.path, env });
  url = (await gateway.waitFor(/"url":"(http[^"]+)"/))[1] ?? '';
  internalUrl = (await gateway.waitFor(/"internalUrl":"(http[^"]+)"/))[1] ?? '';
});
after(async () => {
  await gateway.stop();
  folder[Symbol.dispose]();
});

it('a changed tiers file is in force after SIGHUP, without a restart', async () => {
  assert.equal(await limitOf('basic'), 5);
  await reload(
    tier('basic', 7) + tier('plus', 50),
    /"added":\["plus"\],"changed":\["basic"\],"removed":\[\]/,
  );
  assert.deepEqual([await limitOf('basic'), await limitOf('plus')], [7, 50]);
  const metrics = await (await fetch(`${internalUrl}/metrics`)).text();
  for (const id of ['basic', 'plus'])
    assert.ok(
      metrics.includes(`licensify_admissions_total{tier="${id}",decision="unavailable",window="none"} 0\n`),
    );
});

it('a bad one is refused with every problem and its line, and those before stay in force', async () => {
  const bad = `${tier('basic', '"many"')}max_device = 3\n${tier('plus', 50)}migrate_to = "nowhere"\n`;
  await reload(bad, /the new tiers are refused/);
  const line =
    gateway
      .output()
      .split('\n')
      .findLast((text) => text.includes('are refused')) ?? '';
  const { problems } = JSON.parse(line) as { problems: string[] };
  assert.ok(
    problems.some((problem) => problem.includes('tiers.toml:3: tiers.basic.daily_limit')),
    line,
  );
  assert.ok(
    problems.some((problem) => problem.includes('tiers.toml:6: tiers.basic.max_device')),
    line,
  );
  assert.deepEqual([await limitOf('basic'), await limitOf('plus')], [7, 50]);
});

it('one that drops a tier which a license has is refused, and names the tier and how many have it', async () => {
  const admin = asAdministratorOf({ url, adminToken });
  const made = await admin([
    'license',
    'create',
    '--email',
    'a@example.com',
    '--name',
    'A',
    '--tier',
    'plus',
  ]);
  rememberKeysIn(made.out);
  assert.equal(made.code, 0, made.err);
  await reload(tier('basic', 8), /there is no tier \\"plus\\", which 1 license has/);
  assert.deepEqual([await limitOf('basic'), await limitOf('plus')], [7, 50]);
});

it('after all that, a good file is taken', async () => {
  await reload(tier('basic', 9) + tier('plus', 50), /"added":\[\],"changed":\["basic"\]/);
  await eventually(async () => assert.equal(await limitOf('basic'), 9), 1_000);
  assert.equal(gateway.child.exitCode, null);
});
