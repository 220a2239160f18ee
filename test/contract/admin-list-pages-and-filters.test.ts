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
