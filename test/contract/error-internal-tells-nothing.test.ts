import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { askProvider, assertErrorShape, SHAPES } from '../support/error-shapes.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';

const DETAIL = 'SELECT secret FROM vault at /srv/app/src/inside.ts:42';

describe('a fault of ours is answered with a fixed text and the request id, and explained in the log alone', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device();
  });
  after(() => gateway.close());

  const sentence = (id: string | null): string => `Something went wrong on our side. Request id: ${id}`;

  function logged(id: string | null): { status: unknown; err: { message: string; stack: string } } {
    const line = gateway.logLines().find(({ requestId }) => requestId === id);
    assert.ok(line, 'the log has no line with the request id');
    return line as ReturnType<typeof logged>;
  }

  for (const shape of SHAPES) {
    it(`under /proxy, ${shape}`, async () => {
      const { admission } = gateway.gateway;
      const admit = admission.admit.bind(admission);
      admission.admit = () => Promise.reject(new Error(DETAIL));
      const answer = await askProvider(gateway, shape, { proxyKey: device.proxyKey });
      admission.admit = admit;
      const id = answer.headers.get('x-licensify-request-id');
      assertErrorShape(answer, shape, { code: 'internal_error', status: 500, message: sentence(id) });
      assert.equal(logged(id).err.message, DETAIL);
      assert.ok(logged(id).err.stack.includes('error-internal'));
    });
  }

  it('of the license endpoints and the admin API: a query that fails is not shown', async () => {
    const { knex } = gateway.gateway;
    await knex.raw('ALTER TABLE licenses RENAME TO gone');
    const body = { license_key: device.licenseKey, hardware_id: 'hw' };
    const answers = [
      await gateway.request('/activate', { body }),
      await gateway.request('/check', { body }),
      await gateway.admin('/licenses'),
    ];
    await knex.raw('ALTER TABLE gone RENAME TO licenses');
    for (const answer of answers) {
      const id = answer.headers.get('x-licensify-request-id');
      assert.equal(answer.status, 500);
      assert.deepEqual(answer.body, { error: sentence(id), code: 'internal_error' });
      assert.match(logged(id).err.message, /relation "licenses" does not exist/);
    }
  });
});
