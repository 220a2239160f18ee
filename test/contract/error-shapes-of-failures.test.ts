import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { askProvider, assertErrorShape, SHAPES } from '../support/error-shapes.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { layLine, type TcpLine } from '../support/tcp-line.ts';

describe('a failure behind the gateway has the shape that its reader expects', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  let line: TcpLine;
  before(async () => {
    line = await layLine((await createTestDatabase()).url);
    const env = { DATABASE_URL: line.url, UPSTREAM_TIMEOUT_MS: '500' };
    gateway = await startTestGateway({ counters: 'memory', env });
    device = await gateway.device({ tier: 'enterprise' });
  });
  after(async () => {
    await gateway.close();
    await line.close();
  });

  for (const shape of SHAPES) {
    const provider = shape === 'anthropic' ? 'Anthropic' : 'OpenAI';
    const failures = [
      {
        simulate: 'status=401',
        code: 'provider_auth_failed',
        status: 502,
        message: `${provider} refused the API key of this service. Its operator has to correct it`,
      },
      {
        simulate: 'die=before-headers',
        code: 'upstream_unreachable',
        status: 502,
        message: `${provider} cannot be reached at the moment`,
      },
      {
        simulate: 'hang=before-headers',
        code: 'upstream_timeout',
        status: 504,
        message: `${provider} did not answer in time`,
      },
    ];
    for (const { simulate, ...expected } of failures) {
      it(`${expected.code}, ${shape}`, async () => {
        const answer = await askProvider(gateway, shape, { proxyKey: device.proxyKey, simulate });
        assertErrorShape(answer, shape, expected);
        assert.equal(answer.headers.get('x-ratelimit-remaining'), '-1');
      });
    }

    it(`counters_unavailable, ${shape}`, async () => {
      const { admission } = gateway.gateway;
      const admit = admission.admit.bind(admission);
      admission.admit = () => Promise.resolve({ outcome: 'unavailable', cause: new Error('away') });
      const answer = await askProvider(gateway, shape, { proxyKey: device.proxyKey });
      admission.admit = admit;
      const message = 'Usage cannot be counted at the moment. Try again shortly';
      assertErrorShape(answer, shape, { code: 'counters_unavailable', status: 503, message });
      assert.equal(answer.headers.get('retry-after'), '1');
    });

    it(`database_unavailable, ${shape}`, async () => {
      // Its session is not in memory yet, and the database cannot be asked.
      const fresh = await gateway.device();
      line.lose();
      const answer = await askProvider(gateway, shape, { proxyKey: fresh.proxyKey });
      line.restore();
      const message = 'The database cannot be reached. Try again shortly';
      assertErrorShape(answer, shape, { code: 'database_unavailable', status: 503, message });
      assert.equal(answer.headers.get('retry-after'), '1');
      const served = async (): Promise<void> =>
        assert.equal((await askProvider(gateway, shape, { proxyKey: fresh.proxyKey })).status, 200);
      await eventually(served, 5_000);
    });
  }
});
