import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { adminBody } from '../support/admin-calls.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { chat, chatStatus } from '../support/proxy-call.ts';
import { waitUntil } from '../support/recorded-usage.ts';

interface Row {
  day?: string;
  license?: string;
  provider?: string;
  model?: string;
  requests: number;
  refunded: number;
}

let gateway: TestGateway;
let ada: TestDevice;
let bob: TestDevice;
const clock = new FakeClock('2026-03-10T12:00:00Z');

async function usage(query: string): Promise<{ data: Row[]; next_cursor: string | null }> {
  const answer = await gateway.admin(`/usage?${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body as unknown as { data: Row[]; next_cursor: string | null };
}

before(async () => {
  gateway = await startTestGateway({ clock });
  [ada, bob] = [await gateway.device(), await gateway.device()];
  for (let count = 0; count < 3; count += 1) assert.equal(await chatStatus(gateway, ada.proxyKey), 200);
  assert.equal((await chat(gateway, ada.proxyKey, { 'x-simulate': 'status=500' })).status, 500);
  clock.set('2026-03-11T00:00:00Z');
  assert.equal(await chatStatus(gateway, bob.proxyKey), 200);
  const message = { model: 'claude', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] };
  const headers = { 'x-api-key': bob.proxyKey };
  const sent = await gateway.request('/proxy/anthropic/v1/messages', { headers, body: message });
  assert.equal(sent.status, 200, sent.text);
  await waitUntil(async () => {
    const { data } = await usage('group_by=provider');
    assert.equal(
      data.reduce((sum, { requests, refunded }) => sum + requests + refunded, 0),
      6,
    );
  });
  // Given back under one model, booked under another: nothing is left of the row.
  await gateway.gateway.knex('usage').insert({
    ...{
      license_id: ada.licenseId,
      day: '2026-03-10',
      device_id: 1,
      provider: 'openai',
      model: 'nothing left',
    },
    ...{ requests: 0, refunded: 0 },
  });
});
after(() => gateway.close());

it('by default by day, of this month', async () => {
  assert.deepEqual((await usage('')).data, [
    { day: '2026-03-10', requests: 3, refunded: 1 },
    { day: '2026-03-11', requests: 2, refunded: 0 },
  ]);
});

it('by every combination of keys, with the same sums', async () => {
  const keys = ['day', 'license', 'provider', 'model'];
  for (let mask = 1; mask < 16; mask += 1) {
    const groups = keys.filter((_, index) => (mask & (1 << index)) !== 0);
    const { data } = await usage(`group_by=${groups.join(',')}`);
    const sum = (field: 'requests' | 'refunded'): number =>
      data.reduce((total, row) => total + row[field], 0);
    assert.deepEqual([sum('requests'), sum('refunded')], [5, 1], groups.join());
    for (const row of data) {
      assert.deepEqual(Object.keys(row), [...groups, 'requests', 'refunded']);
      assert.ok(row.requests !== 0 || row.refunded !== 0);
    }
    const order = data.map((row) => groups.map((group) => row[group as keyof Row]).join('\n'));
    assert.equal(new Set(order).size, order.length, 'each group once');
  }
  assert.deepEqual(
    (await usage('group_by=license')).data.map(({ license, requests }) => [license, requests]).sort(),
    [[ada.licenseId, 3], [bob.licenseId, 2]].sort(),
  ); // prettier-ignore
});

it('of one license, as its counters have it; of one provider; of one day', async () => {
  const { data } = await usage(`license=${ada.licenseId}&group_by=model,day`);
  assert.deepEqual(data, [{ day: '2026-03-10', model: 'gpt-4o', requests: 3, refunded: 1 }]);
  const shown = await gateway.admin(`/licenses/${ada.licenseId}`);
  assert.equal(adminBody(shown).license.usage.this_month, 3);
  assert.deepEqual((await usage('provider=anthropic&group_by=provider')).data, [
    { provider: 'anthropic', requests: 1, refunded: 0 },
  ]);
  assert.deepEqual((await usage('from=2026-03-11&to=2026-03-11')).data.length, 1);
  assert.deepEqual((await usage('from=2026-02-01&to=2026-02-28')).data, []);
});

it('pages hold each row once, in the order of the whole', async () => {
  const query = 'group_by=day,license,provider,model';
  const whole = (await usage(query)).data;
  assert.equal(whole.length, 3);
  for (const limit of [1, 2]) {
    const seen: Row[] = [];
    let page = await usage(`${query}&limit=${limit}`);
    for (
      ;
      page.next_cursor !== null;
      page = await usage(`${query}&limit=${limit}&cursor=${page.next_cursor}`)
    ) {
      seen.push(...page.data);
    }
    assert.deepEqual([...seen, ...page.data], whole);
  }
});

it('what is wrong with a question is named', async () => {
  const { next_cursor: cursor } = await usage('group_by=license&limit=1');
  for (const [query, names] of [
    ['from=2026-02-30', /^from: must be a UTC day such as 2026-11-22$/],
    ['to=2026-3-1', /^to: must be a UTC day/],
    ['from=2026-03-02&to=2026-03-01', /^from: 2026-03-02 lies behind to, which is 2026-03-01$/],
    ['from=2026-04-01', /^from: 2026-04-01 lies behind to, which is 2026-03-11$/],
    ['from=2020-01-01', /^from: 366 days at most can be asked for at once, not 2262$/],
    ['group_by=device', /^group_by: there is no "device"; there are day, license, provider, model/],
    ['group_by=', /^group_by: there is no ""/],
    [`group_by=day&cursor=${cursor ?? ''}`, /^cursor: is of a list with another group_by/],
    ['cursor=x', /^cursor: /],
    ['limit=201', /^limit: /],
    ['licence=lic_1', /licence/],
  ] as const) {
    const answer = await gateway.admin(`/usage?${query}`);
    assert.deepEqual([answer.status, adminBody(answer).code], [400, 'invalid_request'], query);
    assert.match(adminBody(answer).error, names);
  }
  const unknown = await gateway.admin('/usage?license=lic_nobody');
  assert.deepEqual([unknown.status, adminBody(unknown).error], [404, 'License lic_nobody not found']);
});

it('a span of days over all licenses is found by an index', async () => {
  const { knex } = gateway.gateway;
  await knex.raw(`
    INSERT INTO usage SELECT 'lic_' || (n % 5000), date '2020-01-01' + n / 5000 * 1, n % 7, 'openai', 'm', 1, 0
    FROM generate_series(1, 100000) n`);
  await knex.raw('ANALYZE usage');
  const { rows } = await knex.raw<{ rows: Record<string, string>[] }>(
    "EXPLAIN SELECT day, sum(requests) FROM usage WHERE day BETWEEN '2026-03-01' AND '2026-03-31' GROUP BY day",
  );
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  assert.match(plan, /usage_day_index/);
  assert.doesNotMatch(plan, /Seq Scan/);
});
