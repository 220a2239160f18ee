import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CHAT, CHAT_AT, ClientDevice } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { PythonClient } from '../support/python-client.ts';

const CALL = ['openai', CHAT_AT, CHAT];

describe('the Python client activates its device, and keeps the key', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory', env: { PROXY_KEY_GRACE_SECONDS: '0' } });
  });
  after(() => gateway.close());

  it('where only its user can read it, for every later start', async (t) => {
    using device = new ClientDevice(gateway);
    await using python = await PythonClient.start(t, device);
    if (python === undefined) return;
    const { licenseKey } = await gateway.createLicense({ tier: 'enterprise', name: 'Zoë' });
    const { result } = await python.do('activate', [` ${licenseKey}\n`]);
    assert.deepEqual(result, {
      tier: 'enterprise',
      customer_name: 'Zoë',
      expires_at: null,
      daily_limit: null,
      monthly_limit: null,
      max_activations: 10,
      hardware_id: 'hw-client',
    });
    assert.equal(device.mode(), 0o600);
    const { proxy_key: proxyKey } = device.kept();
    await python.make(device);
    const answer = await python.do('call', CALL);
    const { choices } = answer.result as { choices: { message: { content: string } }[] };
    assert.equal(choices[0]?.message.content, 'You said: Hello');
    assert.ok(device.kept().proxy_key === proxyKey);
  });

  it('in the same file as the TypeScript client: what one activated, the other uses', async (t) => {
    using device = new ClientDevice(gateway);
    await using python = await PythonClient.start(t, device);
    if (python === undefined) return;
    const { licenseKey } = await gateway.createLicense();
    await device.start().activate(licenseKey);
    assert.equal((await python.do('call', CALL)).error, undefined);
    await python.do('activate', [licenseKey]);
    await device.start().call('openai', CHAT_AT, CHAT);
  });

  it('and both call a device that nobody names the same', async (t) => {
    using device = new ClientDevice(gateway);
    await using python = await PythonClient.start(t, device, { hardware_id: null });
    if (python === undefined) return;
    assert.equal((await python.do('hardware_id')).result, await device.startUnnamed().hardwareId());
  });

  it('lost, open to others or damaged, it says so; a new activation, or a license key at hand, repairs it', async (t) => {
    using device = new ClientDevice(gateway);
    await using python = await PythonClient.start(t, device);
    if (python === undefined) return;
    const { licenseKey } = await gateway.createLicense();
    await python.do('activate', [licenseKey]);
    const troubles: [code: string, type: string, cause: () => void][] = [
      ['not_activated', 'DeviceError', () => device.lose()],
      ['store_open_to_others', 'StoreError', () => device.setMode(0o644)],
      ['store_damaged', 'StoreError', () => device.write('{"version": 1, "url"')],
      ['store_damaged', 'StoreError', () => device.write('')],
    ];
    for (const [code, type, cause] of troubles) {
      for (const repair of ['activate', 'license key']) {
        cause();
        await python.make(device);
        const { error } = await python.do('call', CALL);
        assert.deepEqual([error?.type, error?.code], [type, code]);
        if (repair === 'activate') await python.do('activate', [licenseKey]);
        else await python.make(device, { license_key: licenseKey });
        assert.equal((await python.do('call', CALL)).error, undefined, `${code}, ${repair}`);
        assert.equal(device.mode(), 0o600);
        device.kept();
      }
    }
  });

  it('renews a key that is refused, once for all threads, and keeps the new one', async (t) => {
    using device = new ClientDevice(gateway);
    await using python = await PythonClient.start(t, device);
    if (python === undefined) return;
    const { licenseKey } = await gateway.createLicense();
    await python.do('activate', [licenseKey]);
    await gateway.activate(licenseKey, 'hw-client'); // a rotation: the client's key is dead
    const activations = (): number => gateway.logLines().filter(({ path }) => path === '/activate').length;
    const before = activations();
    assert.deepEqual(await python.inThreads(12, 'call', CALL), []);
    assert.equal(activations(), before + 1);
    await device.start().call('openai', CHAT_AT, CHAT);
    assert.equal(activations(), before + 1);
  });
});
