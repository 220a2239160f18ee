import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { adminBody, change } from '../support/admin-calls.ts';
import { auditOf } from '../support/audit.ts';
import { makeToken, type MadeToken } from '../support/admin-tokens.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const clock = new FakeClock('2026-03-10T12:00:00Z');
let gateway: TestGateway;
let grace: MadeToken;
let ids: string[];
before(async () => {
  gateway = await startTestGateway({ clock });
  grace = await makeToken(gateway, 'support', { name: 'Grace' });
  clock.set('2026-03-11T00:00:00Z');
  ids = [(await gateway.createLicense()).id, (await gateway.createLicense()).id];
  clock.set('2026-03-12T10:00:00Z');
  await gateway.admin(`/licenses/${ids[0] ?? ''}/suspend`, { method: 'POST', token: grace.secret });
  await change(gateway, ids[1] ?? '', 'suspend');
});
after(() => gateway.close());

const actions = async (query: string): Promise<string[]> =>
  (await auditOf(gateway, query)).map(({ action }) => action);

it('filters by license, actor, action and time, alone and together', async () => {
  const [first = ''] = ids;
  assert.deepEqual(await actions(`?license=${first}`), ['license.suspended', 'license.created']);
  assert.deepEqual(await actions('?actor=Grace'), ['license.suspended']);
  assert.deepEqual(await actions(`?actor=${grace.id}`), ['license.suspended']);
  assert.equal((await actions('?actor=ADMIN_TOKEN')).length, 4);
  assert.deepEqual(await actions('?action=token.created'), ['token.created']);
  assert.equal((await actions(`?license=${first}&actor=ADMIN_TOKEN&action=license.created`)).length, 1);
  assert.deepEqual(await actions('?action=nothing'), []);
});

it('a day stands for the whole of it, a time for itself', async () => {
  assert.deepEqual(await actions('?from=2026-03-11&to=2026-03-11'), ['license.created', 'license.created']);
  assert.deepEqual(await actions('?to=2026-03-10'), ['token.created']);
  assert.equal((await actions('?from=2026-03-12T10:00:00Z')).length, 2);
  assert.equal((await actions('?from=2026-03-12T10:00:00.001Z')).length, 0);
  assert.equal((await actions('?to=2026-03-12T10:00:00Z')).length, 3);
});

it('pages hold each entry once, also while entries are added', async () => {
  const whole = (await auditOf(gateway)).map(({ id }) => id);
  const seen: number[] = [];
  let query = '?limit=2';
  for (;;) {
    const answer = await gateway.admin(`/audit${query}`);
    const page = answer.body as unknown as { data: { id: number }[]; next_cursor: string | null };
    seen.push(...page.data.map(({ id }) => id));
    if (page.next_cursor === null) break;
    await gateway.createLicense();
    query = `?limit=2&cursor=${page.next_cursor}`;
  }
  assert.deepEqual(seen, whole);
});

it('what is wrong with a query is named', async () => {
  for (const [query, names] of [
    ['?limit=0', /^limit: /],
    ['?limit=201', /^limit: /],
    ['?from=yesterday', /^from: must be a UTC day \(2027-01-31\) or a time/],
    ['?to=2026-02-30', /^to: must be/],
    ['?cursor=abc', /^cursor: is none that this list gave/],
    ['?licence=lic_1', /licence/],
  ] as const) {
    const answer = await gateway.admin(`/audit${query}`);
    assert.deepEqual([answer.status, adminBody(answer).code], [400, 'invalid_request'], query);
    assert.match(adminBody(answer).error, names);
  }
});
