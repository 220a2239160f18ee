import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { ProxyKeys } from '../../src/licensing/keys.ts';
import { change } from '../support/admin-calls.ts';
import { countQueries, LOOK_UP } from '../support/count-queries.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { hammer, rawPost } from '../support/hammer.ts';
import { chatStatus } from '../support/proxy-call.ts';

const TIMES = 10_000;
const BODY = { model: 'gpt-4o', messages: [] };

describe('/proxy under ten thousand wrong keys', () => {
  let gateway: TestGateway;
  let proxyKey: string;
  before(async () => {
    gateway = await startTestGateway({ env: { LOG_LEVEL: 'warn' } });
    ({ proxyKey } = await gateway.device({ tier: 'enterprise' }));
    assert.equal(await chatStatus(gateway, proxyKey), 200);
  });
  after(() => gateway.close());

  const attack = (key: () => string, times = TIMES): ReturnType<typeof hammer> =>
    hammer(
      gateway.url,
      () => rawPost('/proxy/openai/v1/chat/completions', BODY, { authorization: `Bearer ${key()}` }),
      { times },
    );

  it('that were never issued: no look-up at all, and a valid one of that address is served', async (t) => {
    const queries = countQueries(LOOK_UP);
    t.after(() => queries.stop());
    const stranger = new ProxyKeys(randomBytes(32));
    const [{ statuses, perSecond }, ...valid] = await Promise.all([
      attack(() => stranger.issue()),
      ...Array.from({ length: 20 }, () => chatStatus(gateway, proxyKey)),
    ]);
    assert.deepEqual(statuses, { 401: TIMES });
    assert.equal(queries.count, 0);
    assert.deepEqual(new Set(valid), new Set([200]));
    t.diagnostic(`${perSecond} requests/s`);
  });

  it('that were revoked, which only the database can tell: a look-up or two for each key', async (t) => {
    const revoked = await Promise.all(Array.from({ length: 5 }, () => gateway.device()));
    for (const { licenseId } of revoked) assert.equal(await change(gateway, licenseId, 'revoke'), 200);
    const queries = countQueries(LOOK_UP);
    t.after(() => queries.stop());
    let turn = 0;
    const { statuses } = await attack(() => revoked[turn++ % revoked.length]?.proxyKey ?? '');
    assert.deepEqual(statuses, { 401: TIMES });
    // The news of the revocation may come back over Redis after the first look: then there is a second one.
    assert.ok(queries.count >= 1 && queries.count <= 2 * revoked.length, `${queries.count} look-ups`);
    assert.equal(await chatStatus(gateway, proxyKey), 200);
  });
});
