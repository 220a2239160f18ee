import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { hasKeyForm } from '../../src/key-forms.ts';
import { adminBody } from '../support/admin-calls.ts';
import { makeToken } from '../support/admin-tokens.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const clock = new FakeClock('2026-03-10T12:00:00Z');
let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({ clock });
});
after(() => gateway.close());

interface Token {
  id: string;
  token_prefix: string;
  last_used_at: string | null;
}

async function tokens(query = ''): Promise<{ data: Token[]; next_cursor: string | null }> {
  const answer = await gateway.admin(`/tokens${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body as unknown as { data: Token[]; next_cursor: string | null };
}

it('a token is shown once, and what is kept of it does not yield it', async () => {
  const { id, secret } = await makeToken(gateway, 'support');
  assert.ok(hasKeyForm(secret, 'lat_'), 'a scanner recognizes it by prefix and checksum');
  const shown = JSON.stringify(await tokens());
  assert.ok(shown.includes(id) && !shown.includes(secret));
  assert.ok(shown.includes(secret.slice(0, 9)));
  const { rows } = await gateway.gateway.knex.raw<{ rows: { row: string }[] }>(
    'SELECT t::text AS row FROM admin_tokens t UNION ALL SELECT a::text FROM audit a',
  );
  const kept = rows.map(({ row }) => row).join('\n');
  assert.ok(kept.includes(id));
  assert.ok(!kept.includes(secret) && !kept.includes(Buffer.from(secret).toString('hex')));
});

it('when a token was last used is noted to the minute', async () => {
  const { id, secret } = await makeToken(gateway, 'read');
  const lastUsed = async (): Promise<string | null | undefined> =>
    (await tokens()).data.find((token) => token.id === id)?.last_used_at;
  assert.equal(await lastUsed(), null);
  const use = async (): Promise<void> =>
    assert.equal((await gateway.admin('/licenses', { token: secret })).status, 200);
  const began = new Date(clock.now()).toISOString();
  await use();
  assert.equal(await lastUsed(), began);
  clock.advance(59_000);
  await use();
  assert.equal(await lastUsed(), began, 'it costs a write once a minute at most');
  clock.advance(1_000);
  await use();
  assert.equal(await lastUsed(), new Date(clock.now()).toISOString());
});

it('the list of tokens has pages, and what is wrong with a new one is named', async () => {
  for (let count = 0; count < 3; count += 1) await makeToken(gateway, 'read');
  const whole = (await tokens()).data.map(({ id }) => id);
  const seen: string[] = [];
  let page = await tokens('?limit=2');
  for (; page.next_cursor !== null; page = await tokens(`?limit=2&cursor=${page.next_cursor}`)) {
    seen.push(...page.data.map(({ id }) => id));
  }
  assert.deepEqual([...seen, ...page.data.map(({ id }) => id)], whole);
  for (const [body, names] of [
    [{ name: 'x', role: 'root' }, /^role: /],
    [{ name: ' ', role: 'read' }, /^name: /],
    [{ role: 'read' }, /^name: /],
    [{ name: 'x', role: 'read', expires: 'never' }, /expires/],
  ] as const) {
    const answer = await gateway.admin('/tokens', { body });
    assert.equal(answer.status, 400);
    assert.match(adminBody(answer).error, names);
  }
});
