import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { adminBody } from '../support/admin-calls.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { addWebhook, receiverSettings } from '../support/webhook-receiver.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({ env: receiverSettings });
});
after(() => gateway.close());

async function refused(body: object): Promise<string> {
  const answer = await gateway.admin('/webhooks', { body });
  assert.deepEqual([answer.status, adminBody(answer).code], [400, 'invalid_request']);
  return adminBody(answer).error;
}

describe('a webhook is not made', () => {
  it('for a URL that is not public, or no https, and the answer says so', async () => {
    assert.match(
      await refused({ url: 'https://10.0.0.1/x' }),
      /^url: is the address 10\.0\.0\.1, which is not public/,
    );
    assert.match(
      await refused({ url: 'https://localhost/x' }),
      /^url: names the host localhost, which leads to/,
    );
    assert.match(await refused({ url: 'http://93.184.215.14/' }), /^url: must begin with https/);
    assert.match(await refused({ url: 'https://no-such-host.invalid/' }), /cannot be found/);
    const { id } = await addWebhook(gateway, { url: 'http://127.0.0.1:9/' });
    const changed = await gateway.admin(`/webhooks/${id}`, {
      method: 'PATCH',
      body: { url: 'https://192.168.0.1/' },
    });
    assert.equal(changed.status, 400);
  });

  it('for events that there are not, or none', async () => {
    const url = 'http://127.0.0.1:9/';
    assert.match(await refused({ url, events: ['license.exploded'] }), /events/);
    assert.match(await refused({ url, events: [] }), /events/);
    assert.match(await refused({}), /url/);
    assert.match(await refused({ url, secret: 'whsec_mine' }), /secret/);
  });

  it('without a master key, since its secret could not be encrypted', async () => {
    const without = await startTestGateway({ joins: gateway, env: { MASTER_KEY: undefined } });
    const answer = await without.admin('/webhooks', { body: { url: 'http://127.0.0.1:9/' } });
    await without.close();
    assert.deepEqual([answer.status, adminBody(answer).code], [503, 'master_key_not_configured']);
  });

  it('where there are fifty, however many are asked for at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 60 }, () =>
        gateway.admin('/webhooks', { body: { url: 'http://127.0.0.1:9/', enabled: false } }),
      ),
    );
    assert.ok(made.some(({ status }) => status === 409));
    const pageFrom = async (query: string): Promise<{ data: { id: string }[]; next_cursor: string | null }> =>
      (await gateway.admin(`/webhooks?${query}`)).body as never;
    const first = await pageFrom('limit=30');
    const second = await pageFrom(`limit=30&cursor=${first.next_cursor ?? ''}`);
    assert.equal(second.next_cursor, null);
    assert.equal(new Set([...first.data, ...second.data].map(({ id }) => id)).size, 50);
  });
});
