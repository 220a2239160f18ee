import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { chat } from '../support/proxy-call.ts';

for (const counters of ['redis', 'memory'] as const) {
  it(`a limit lowered below what is used refuses the next request and says so (${counters})`, async (t) => {
    const gateway = await startTestGateway({ counters });
    t.after(() => gateway.close());
    const device = await gateway.device({ daily_limit: 100 });
    for (let turn = 0; turn < 8; turn += 1) await chat(gateway, device.proxyKey);
    const lower = (limits: object): Promise<unknown> =>
      gateway.admin(`/licenses/${device.licenseId}`, { method: 'PATCH', body: limits });
    await lower({ daily_limit: 5 });
    const refused = await chat(gateway, device.proxyKey);
    assert.equal(refused.status, 429);
    assert.match(refused.text, /Daily limit of 5 requests exceeded\. Current usage: 8/);
    assert.equal(refused.headers.get('x-ratelimit-remaining'), '0');
    await lower({ daily_limit: 100, monthly_limit: 8 });
    assert.match((await chat(gateway, device.proxyKey)).text, /Monthly limit of 8 requests exceeded/);
    await lower({ daily_limit: 9, monthly_limit: 9 });
    assert.equal((await chat(gateway, device.proxyKey)).status, 200);
    assert.equal((await chat(gateway, device.proxyKey)).status, 429);
  });
}
