import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import supertest from 'supertest';
import { version } from '../../src/version.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const tiers = `
[tiers.basic]
name = "Basic"
daily_limit = 5
monthly_limit = 50
max_devices = 2
features = ["chat"]
description = "For a start"
price_monthly = 4.5
[tiers.secret]
name = "Secret"
daily_limit = -1
monthly_limit = -1
max_devices = -1
hidden = true
[tiers.old]
name = "Old"
daily_limit = 1
monthly_limit = 1
max_devices = 1
deprecated = true
migrate_to = "basic"
`;

interface TierList {
  tiers: { id: string; daily_limit: number; price_monthly: number | null }[];
}

describe('what anybody may ask', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory', tiers });
  });
  after(() => gateway.close());

  it('GET /tiers lists the tiers that are neither hidden nor deprecated', async () => {
    const answer = await supertest(gateway.url).get('/tiers').expect(200).expect('Content-Type', /json/);
    const { tiers: listed } = answer.body as TierList;
    assert.deepEqual(
      listed.map(({ id, daily_limit, price_monthly }) => ({ id, daily_limit, price_monthly })),
      [{ id: 'basic', daily_limit: 5, price_monthly: 4.5 }],
    );
  });

  it('GET /health and GET /version answer without a key', async () => {
    await supertest(gateway.url).get('/health').expect(200, { status: 'ok' });
    await supertest(gateway.url).get('/version').expect(200, { name: 'licensify', version });
  });

  it('another method gets 405 with what is allowed, another path 404', async () => {
    const wrongMethod = await supertest(gateway.url).post('/tiers').expect(405).expect('Allow', 'GET');
    assert.equal((wrongMethod.body as { code: string }).code, 'method_not_allowed');
    const wrongPath = await supertest(gateway.url).get('/nothing-here').expect(404);
    assert.equal((wrongPath.body as { code: string }).code, 'not_found');
  });

  it('the internal listener alone has /metrics, and the public one does not', async () => {
    await supertest(gateway.url).get('/metrics').expect(404);
    await supertest(gateway.internalUrl)
      .get('/metrics')
      .expect(200, /licensify_build_info/);
    await supertest(gateway.internalUrl).get('/activate').expect(404);
  });
});
