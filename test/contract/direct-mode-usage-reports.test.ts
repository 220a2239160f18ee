import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { change } from '../support/admin-calls.ts';
import { FakeClock } from '../support/fake-clock.ts';
import {
  startTestGateway,
  type JsonAnswer,
  type NewTestLicense,
  type TestGateway,
} from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import { usageOf } from '../support/usage-rows.ts';

const KEY = 'protected-key-of-the-usage-test';
const DAY = '2026-03-10';

interface Reporter {
  licenseId: string;
  licenseKey: string;
  readonly report: (count: unknown, hardwareId?: string) => Promise<JsonAnswer>;
}

async function reporter(gateway: TestGateway, fields: NewTestLicense): Promise<Reporter> {
  const { id, licenseKey } = await gateway.createLicense(fields);
  assert.equal(await gateway.activate(licenseKey, 'laptop'), KEY);
  const report = (count: unknown, hardwareId = 'laptop'): Promise<JsonAnswer> =>
    gateway.request('/usage', { body: { license_key: licenseKey, hardware_id: hardwareId, count } });
  return { licenseId: id, licenseKey, report };
}

for (const counters of ['redis', 'memory'] as const) {
  describe(`POST /usage, counting in ${counters}`, () => {
    let gateway: TestGateway;
    before(async () => {
      rememberSecret(KEY);
      const env = { PROXY_MODE: 'false', PROTECTED_API_KEY: KEY };
      gateway = await startTestGateway({ counters, env, clock: new FakeClock(`${DAY}T12:00:00Z`) });
    });
    after(() => gateway.close());

    it('counts what a client used, answers what is left, and books it once', async () => {
      const { licenseId, licenseKey, report } = await reporter(gateway, {
        daily_limit: 10,
        monthly_limit: -1,
      });
      assert.equal((await report(3)).status, 200);
      const answer = await report(4);
      assert.deepEqual(answer.body, {
        success: true,
        usage_today: 7,
        daily_limit: 10,
        daily_remaining: 3,
        usage_this_month: 7,
        monthly_limit: -1,
        monthly_remaining: -1,
        limit_exceeded: false,
        reset_at: '2026-03-11T00:00:00.000Z',
      });
      assert.equal(answer.headers.get('x-ratelimit-remaining'), '3');
      const checked = await gateway.request('/check', {
        body: { license_key: licenseKey, hardware_id: 'laptop' },
      });
      assert.deepEqual([checked.body.usage_today, checked.body.usage_this_month], [7, 7]);
      await usageOf(gateway.gateway.knex, { licenseId }, [{ provider: 'direct', day: DAY, requests: 7 }]);
    });

    it('books what goes beyond a limit too, and says that it is exceeded', async () => {
      const { report } = await reporter(gateway, { daily_limit: -1, monthly_limit: 10 });
      const full = await report(10);
      assert.deepEqual([full.body.monthly_remaining, full.body.limit_exceeded], [0, false]);
      const beyond = await report(5);
      assert.equal(beyond.status, 200);
      assert.deepEqual(
        [beyond.body.usage_this_month, beyond.body.monthly_remaining, beyond.body.limit_exceeded],
        [15, 0, true],
      );
    });

    it('adds up 100 reports at once', async () => {
      const { report } = await reporter(gateway, { daily_limit: 1_000 });
      const answers = await Promise.all(Array.from({ length: 100 }, () => report(3)));
      const told = answers.map(({ body }) => Number(body.usage_today)).sort((a, b) => a - b);
      assert.deepEqual(
        told,
        Array.from({ length: 100 }, (_, index) => 3 * (index + 1)),
      );
    });

    it('takes no count that is none, and counts nothing for it', async () => {
      const { report } = await reporter(gateway, {});
      for (const count of [0, -1, 1.5, 10_001, '3', null, undefined]) {
        const answer = await report(count);
        assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request'], String(count));
        assert.match(answer.text, /count: /);
      }
      assert.equal((await report(10_000)).body.usage_today, 10_000);
    });

    it('takes reports of activated devices of licenses in force alone', async () => {
      const { licenseId, report } = await reporter(gateway, {});
      assert.equal((await report(1, 'other')).body.code, 'hardware_not_activated');
      await change(gateway, licenseId, 'suspend');
      assert.equal((await report(1)).body.code, 'license_suspended');
      await change(gateway, licenseId, 'reinstate');
      assert.equal((await report(1)).body.usage_today, 1, 'nothing of all that was counted');
      await change(gateway, licenseId, 'revoke');
      const answer = await report(1);
      assert.deepEqual([answer.status, answer.body.code], [401, 'invalid_license_key']);
    });

    it('is the only way in: /proxy is off', async () => {
      const answer = await gateway.request('/proxy/openai/v1/chat/completions', { body: {} });
      assert.deepEqual([answer.status, answer.body.code], [404, 'not_found']);
    });
  });
}

it('in proxy mode there is no POST /usage', async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const body = { license_key: 'x', hardware_id: 'y', count: 1 };
  assert.equal((await gateway.request('/usage', { body })).status, 404);
});
