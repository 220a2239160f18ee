import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { adminBody, change, licensesOf } from '../support/admin-calls.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const clock = new FakeClock('2026-03-10T12:00:00Z');
let gateway: TestGateway;
/** Newest first, as the list has them. */
const ids: string[] = [];

before(async () => {
  gateway = await startTestGateway({ clock });
  for (let index = 0; index < 7; index += 1) {
    const tier = index % 2 === 0 ? 'pro' : 'free';
    const { id } = await gateway.createLicense({ tier, email: `user${index}@example.com` });
    ids.unshift(id);
    // Some are made in the same millisecond.
    if (index % 3 === 2) clock.advance(1);
  }
  const [first = '', second = '', third = ''] = ids;
  await change(gateway, first, 'suspend');
  await change(gateway, second, 'revoke');
  await change(gateway, third, { expires_at: '2026-03-10T12:00:00Z' });
});
after(() => gateway.close());

async function list(query: string): Promise<{ ids: string[]; next: string | null }> {
  const answer = await gateway.admin(`/licenses${query}`);
  assert.equal(answer.status, 200, answer.text);
  return { ids: licensesOf(answer).map(({ id }) => id), next: adminBody(answer).next_cursor };
}

it('a list is newest first and whole, with no next page', async () => {
  const { ids: listed, next } = await list('');
  assert.deepEqual([...listed].sort(), [...ids].sort());
  assert.equal(next, null);
  const times = licensesOf(await gateway.admin('/licenses')).map((license) => license.created_at);
  assert.deepEqual(times, [...times].sort().reverse());
});

for (const size of [1, 2, 3, 7]) {
  it(`pages of ${size} hold each license once, in the same order`, async () => {
    const whole = (await list('')).ids;
    const seen: string[] = [];
    let page = await list(`?limit=${size}`);
    while (page.next !== null) {
      assert.equal(page.ids.length, size);
      seen.push(...page.ids);
      page = await list(`?limit=${size}&cursor=${page.next}`);
    }
    assert.deepEqual([...seen, ...page.ids], whole);
  });
}

it('filters by tier, status and email, alone and together, on every page', async () => {
  const [first = '', second = '', third = '', ...others] = ids;
  const sorted = async (query: string): Promise<string[]> => (await list(query)).ids.sort();
  assert.deepEqual(await sorted('?status=suspended'), [first]);
  assert.deepEqual(await sorted('?status=revoked'), [second]);
  assert.deepEqual(await sorted('?status=expired'), [third]);
  assert.deepEqual(await sorted('?status=active'), [...others].sort());
  assert.deepEqual(await sorted('?email=USER0@example.com'), [ids[6]]);
  assert.deepEqual(await sorted('?tier=free'), [ids[1], ids[3], ids[5]].sort());
  assert.deepEqual(await sorted('?tier=free&status=active'), [ids[3], ids[5]].sort());
  assert.deepEqual(await sorted('?tier=gold'), []);
  const page = await list('?tier=free&limit=2');
  assert.equal((await list(`?tier=free&limit=2&cursor=${page.next}`)).ids.length, 1);
});

it('what is wrong with a query is named', async () => {
  for (const [query, names] of [
    ['?limit=0', /^limit: /],
    ['?limit=201', /^limit: /],
    ['?limit=x', /^limit: /],
    ['?status=gone', /^status: /],
    [`?cursor=${'x'.repeat(101)}`, /^cursor: /],
    ['?tier=a&tier=b', /^tier: /],
  ] as const) {
    const answer = await gateway.admin(`/licenses${query}`);
    assert.deepEqual([answer.status, adminBody(answer).code], [400, 'invalid_request'], query);
    assert.match(adminBody(answer).error, names);
  }
});

it('a cursor is opaque, holds nothing of a customer, and is of one list alone', async () => {
  const { next } = await list('?limit=1');
  assert.ok(next !== null);
  const [first] = licensesOf(await gateway.admin('/licenses?limit=1'));
  const read = Buffer.from(next, 'base64url').toString();
  assert.ok(first !== undefined && !read.includes(first.email) && !read.includes(first.name));
  const other = Buffer.from(JSON.stringify(['token', { createdAt: first.created_at, id: first.id }]));
  for (const cursor of ['x', first.id, next.slice(1), `${next}x`, other.toString('base64url')]) {
    const answer = await gateway.admin(`/licenses?cursor=${cursor}`);
    assert.equal(answer.status, 400, cursor);
    assert.equal(adminBody(answer).error, 'cursor: is none that this list gave: begin without one');
  }
});

it('licenses that end soon are found', async () => {
  const { id } = await gateway.createLicense({ expires_at: '2026-04-01T00:00:00Z' });
  assert.ok(!(await list('?expires_before=2026-04-01T00:00:00Z')).ids.includes(id));
  const soon = await list('?expires_before=2026-04-02T00:00:00Z&status=active');
  assert.deepEqual(soon.ids, [id]);
});

it('a page stays what it is while licenses are made', async () => {
  const whole = (await list('')).ids;
  const first = await list('?limit=3');
  clock.advance(1);
  await gateway.createLicense();
  const second = await list(`?limit=3&cursor=${first.next}`);
  assert.deepEqual([...first.ids, ...second.ids], whole.slice(0, 6));
});

it('devices come in pages, and a license shows how many they are', async () => {
  const { licenseId, licenseKey } = await gateway.device({ max_activations: 5 }, 'hw-0');
  for (const hardwareId of ['hw-1', 'hw-2']) await gateway.activate(licenseKey, hardwareId);
  const path = `/licenses/${licenseId}/devices`;
  const page = await gateway.admin(`${path}?limit=2`);
  const idsOf = (answer: typeof page): string[] =>
    (answer.body as unknown as { data: { hardware_id: string }[] }).data.map((device) => device.hardware_id);
  assert.deepEqual(idsOf(page), ['hw-0', 'hw-1']);
  const last = await gateway.admin(`${path}?limit=2&cursor=${adminBody(page).next_cursor}`);
  assert.deepEqual([idsOf(last), adminBody(last).next_cursor], [['hw-2'], null]);
  const { device_count: count } = adminBody(await gateway.admin(`/licenses/${licenseId}`)).license;
  assert.equal(count, 3);
});
