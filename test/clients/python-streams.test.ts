import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CHAT, CHAT_AT, ClientDevice, simulated } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { PythonClient } from '../support/python-client.ts';

const messages = [{ role: 'user', content: 'Grüß Gott 🌍' }];
const chats = {
  openai: ['gpt-4o', {}],
  anthropic: ['claude-3-5-haiku-latest', { provider: 'anthropic' }],
} as const;

describe('streamed calls of the Python client', () => {
  let gateway: TestGateway;
  let licenseKey: string;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    ({ licenseKey } = await gateway.createLicense());
  });
  after(() => gateway.close());

  for (const [name, [model, provider]] of Object.entries(chats)) {
    it(`${name}: whole, cut and abandoned`, async (t) => {
      using device = new ClientDevice(gateway);
      await using python = await PythonClient.start(t, device, { license_key: licenseKey });
      if (python === undefined) return;
      const whole = await python.do('chat', [model, messages], provider);
      assert.equal(whole.error, undefined);
      assert.ok(whole.items.length > 2);
      assert.equal(whole.items.join(''), 'You said: Grüß Gott 🌍');

      for (const how of ['die=mid-stream, chunks=6', 'die=after-headers']) {
        const cut = await python.do('chat', [model, messages], { ...provider, ...simulated(how) });
        assert.deepEqual([cut.error?.type, cut.error?.code], ['IncompleteError', 'incomplete'], how);
        assert.match(cut.error?.request_id ?? '', /./);
      }

      // The provider hangs: a piece that came can only have come at once, and leaving the loop ends its work.
      const hanging = { ...provider, ...simulated('hang=mid-stream, chunks=4') };
      const left = await python.abandonAfter(2, 'chat', [model, messages], hanging);
      assert.equal(left.items.length, 2);
      const request = gateway.simulator.requests.at(-1);
      await request?.closed;
      assert.equal(request?.aborted, true);
    });
  }

  it('responses are whole without [DONE]; a plain answer that is cut, and one that is no stream, are told', async (t) => {
    using device = new ClientDevice(gateway);
    await using python = await PythonClient.start(t, device, { license_key: licenseKey });
    if (python === undefined) return;
    const body = { model: 'gpt-4o', input: 'Hello', stream: true };
    const { items, error } = await python.do('stream', ['openai', 'v1/responses', body]);
    assert.equal(error, undefined);
    assert.equal((items.at(-1) as { event: string }).event, 'response.completed');
    const cut = await python.do('call', ['openai', CHAT_AT, CHAT], simulated('die=mid-json'));
    assert.equal(cut.error?.type, 'IncompleteError');
    const plain = await python.do('stream', ['openai', CHAT_AT, CHAT]);
    assert.match(plain.error?.message ?? '', /"stream": True/);
  });

  it('a body that is given as text reaches the provider byte for byte', async (t) => {
    using device = new ClientDevice(gateway);
    await using python = await PythonClient.start(t, device, { license_key: licenseKey });
    if (python === undefined) return;
    const text =
      '{"model" : "gpt-4o", "seed": 12345678901234567890, "messages":[{"role":"user","content":"\\u00fc ü"}]}';
    await python.do('call', ['openai', `/${CHAT_AT}`, text]);
    assert.equal(gateway.simulator.requests.at(-1)?.body.toString(), text);
  });
});
