import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';

describe('metrics of a gateway that is sent whatever a client can make up', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(() => gateway.close());

  const made = (): string => randomBytes(8).toString('hex');

  /** The same kinds of requests each time, with other words in every place that a client fills. */
  async function sendAllKinds(): Promise<TestDevice[]> {
    const device = await gateway.device(
      { daily_limit: 1, name: made(), email: `${made()}@example.com` },
      made(),
    );
    const call = (path: string, key: string, model = made()): Promise<unknown> =>
      gateway.request(path, {
        headers: { authorization: `Bearer ${key}`, [`x-${made()}`]: made() },
        body: { model },
      });
    await call('/proxy/openai/v1/chat/completions', device.proxyKey);
    await call('/proxy/openai/v1/chat/completions', device.proxyKey);
    await call('/proxy/openai/v1/chat/completions', `px_${made()}`);
    await call(`/proxy/openai/v1/models/${made()}`, device.proxyKey);
    await call(`/proxy/openai/v1/${made()}`, device.proxyKey);
    await call(`/proxy/${made()}/v1/chat`, device.proxyKey);
    await call(`/${made()}?${made()}=${made()}`, made());
    await gateway.request('/activate', { body: { license_key: made(), hardware_id: made() } });
    await gateway.admin(`/licenses/${made()}`);
    await gateway.request(`/${made()}`, { method: 'PROPFIND' });
    return [device];
  }

  const series = async (): Promise<string[]> =>
    (await gateway.metrics())
      .split('\n')
      .filter((line) => line.startsWith('licensify_'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')))
      .sort();

  it('other words of clients make no other series', async () => {
    await sendAllKinds();
    const before = await series();
    for (let round = 0; round < 3; round += 1) await sendAllKinds();
    assert.deepEqual(await series(), before);
  });

  it('no label holds a license, a key, a device, a model or a path below an endpoint', async () => {
    const [device] = await sendAllKinds();
    const text = await gateway.metrics();
    for (const secret of [device?.licenseId, device?.proxyKey, device?.licenseKey, device?.hardwareId]) {
      assert.ok(secret !== undefined && !text.includes(secret));
    }
    const values = [...text.matchAll(/^licensify_\w+\{(.*)\} /gm)].flatMap(([, labels = '']) =>
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value = '']) => ({ name, value })),
    );
    for (const { name, value } of values) {
      const isShort = name === 'endpoint' ? /^(?:\/[\w/:]{1,40}|\(unknown\))$/ : /^[\w.+-]{1,40}$/;
      assert.match(value, isShort, `${name}="${value}"`);
    }
  });
});
