import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { change, licensesOf } from '../support/admin-calls.ts';
import { asAdministratorOf } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type JsonAnswer, type TestGateway } from '../support/gateway.ts';
import { chat } from '../support/proxy-call.ts';

const tier = (id: string, limit: number, more = ''): string =>
  `[tiers.${id}]\nname = "${id}"\ndaily_limit = ${limit}\nmonthly_limit = -1\nmax_devices = 2\n${more}\n`;
const tiers =
  tier('old', 3, 'deprecated = true\nmigrate_to = "new"') +
  tier('new', 7) +
  tier('retired', 1, 'hidden = true') +
  tier('many', 1);

let one: TestGateway;
let other: TestGateway;
before(async () => {
  one = await startTestGateway({ tiers });
  other = await startTestGateway({ tiers, joins: one });
});
after(async () => {
  await other.close();
  await one.close();
});

const migrate = (from: string, body: object): Promise<JsonAnswer> =>
  one.admin(`/tiers/${from}/migrate`, { body });

it('a dry run changes nothing and shows limits before and after; the move is announced, recorded and keeps overrides', async () => {
  const plain = await one.device({ tier: 'old' });
  const own = await one.device({ tier: 'old', daily_limit: 5 });
  const revoked = await one.device({ tier: 'old' });
  await change(one, revoked.licenseId, 'revoke');
  assert.equal((await chat(other, plain.proxyKey)).headers.get('x-ratelimit-limit'), '3');

  const dry = await migrate('old', { dry_run: true });
  assert.equal(dry.status, 200);
  const { examples, ...plan } = dry.body as unknown as {
    examples: { license: string; before: { daily_limit: number }; after: { daily_limit: number } }[];
  };
  assert.deepEqual(plan, { from: 'old', to: 'new', dry_run: true, licenses: 2 });
  const limits = new Map(examples.map((e) => [e.license, [e.before.daily_limit, e.after.daily_limit]]));
  assert.deepEqual(
    [limits.get(plain.licenseId), limits.get(own.licenseId)],
    [
      [3, 7],
      [5, 5],
    ],
  );
  assert.equal(licensesOf(await one.admin('/licenses?tier=old')).length, 3);

  const done = await migrate('old', { dry_run: false });
  assert.deepEqual([done.body.licenses, done.body.to], [2, 'new']);
  await eventually(async () => {
    assert.equal((await chat(other, plain.proxyKey)).headers.get('x-ratelimit-limit'), '7');
  }, 1_000);
  assert.equal((await chat(other, own.proxyKey)).headers.get('x-ratelimit-limit'), '5');
  assert.deepEqual(
    licensesOf(await one.admin('/licenses?tier=old')).map(({ id }) => id),
    [revoked.licenseId],
  );
  const audit = await one.admin(`/audit?license=${plain.licenseId}&action=license.updated`);
  const [entry] = (audit.body as unknown as { data: { before: unknown; after: unknown }[] }).data;
  assert.deepEqual([entry?.before, entry?.after], [{ tier: 'old' }, { tier: 'new' }]);
});

it('hundreds of licenses are moved, each once, while two administrators ask for it at the same time', async () => {
  const { knex } = one.gateway;
  await knex.raw(
    `INSERT INTO licenses (id, key_hash, key_prefix, email, name, tier, created_at, updated_at)
     SELECT 'lic_many' || n, decode(md5(n::text), 'hex'), 'LIC-00000', 'm@example.com', 'M', 'many', now(), now()
     FROM generate_series(1, 450) n`,
  );
  const both = await Promise.all([
    migrate('many', { to: 'new', dry_run: false }),
    other.admin('/tiers/many/migrate', { body: { to: 'new', dry_run: false } }),
  ]);
  const moved = both.map(({ body }) => Number(body.licenses));
  assert.equal((moved[0] ?? 0) + (moved[1] ?? 0), 450, String(moved));
  assert.equal((await migrate('many', { to: 'new', dry_run: true })).body.licenses, 0);
});

it('a target that is missing, unknown or the same is refused, and so is a tier that is none', async () => {
  for (const [from, body, status, text] of [
    ['new', { dry_run: true }, 400, /names no migrate_to/],
    ['old', { to: 'nowhere', dry_run: true }, 400, /there is no tier \\"nowhere\\"/],
    ['old', { to: 'old', dry_run: true }, 400, /another tier/],
    ['old', {}, 400, /dry_run/],
    ['nothing', { to: 'new', dry_run: true }, 404, /Tier nothing not found/],
  ] as const) {
    const answer = await migrate(from, body);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, text);
  }
});

it('the admin API lists every tier, with how many licenses have it', async () => {
  interface Page {
    data: { id: string; hidden: boolean; deprecated: boolean; licenses: number }[];
    next_cursor: string | null;
  }
  const first = (await one.admin('/tiers?limit=3')).body as unknown as Page;
  const last = (await one.admin(`/tiers?limit=3&cursor=${first.next_cursor}`)).body as unknown as Page;
  const data = [...first.data, ...last.data];
  assert.equal(last.next_cursor, null);
  assert.deepEqual(
    data.map(({ id, licenses }) => [id, licenses]),
    [
      ['many', 0],
      ['new', 452],
      ['old', 0],
      ['retired', 0],
    ],
  );
  assert.deepEqual([data[2]?.deprecated, data[3]?.hidden], [true, true]);
});

it('tier migrate shows a dry run, asks, and moves', async () => {
  await one.device({ tier: 'old' });
  const admin = asAdministratorOf(one);
  const dry = await admin(['tier', 'migrate', 'old', '--dry-run']);
  assert.equal(dry.code, 0, dry.err);
  assert.match(dry.out, /1 license would move from old to new/);
  assert.match(dry.out, /3 -> 7/);
  assert.equal((await admin(['tier', 'migrate', 'old'])).code, 2, 'without a terminal it wants --yes');
  const no = await admin(['tier', 'migrate', 'old'], { answer: 'n' });
  assert.match(no.err, /Nothing was changed/);
  const done = await admin(['tier', 'migrate', 'old', '--yes']);
  assert.equal(done.out, '1 license moved from old to new.\n');
});
