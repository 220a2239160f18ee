import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IncompleteError, ProviderError, type Licensify } from '../../clients/typescript/src/index.ts';
import { CHAT, CHAT_AT, ClientDevice, drain, simulated } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { readSome } from '../support/sdk-stage.ts';

const messages = [{ role: 'user' as const, content: 'Grüß Gott 🌍' }];
const openai = { model: 'gpt-4o', messages };
const anthropic = { provider: 'anthropic' as const, model: 'claude-3-5-haiku-latest', messages };

describe('streamed calls of the TypeScript client', () => {
  let gateway: TestGateway;
  let device: ClientDevice;
  let client: Licensify;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = new ClientDevice(gateway);
    client = device.start({ licenseKey: (await gateway.createLicense()).licenseKey });
  });
  after(async () => {
    device[Symbol.dispose]();
    await gateway.close();
  });

  for (const [name, chat] of Object.entries({ openai, anthropic })) {
    it(`${name}: the pieces of a chat come one by one and make up the whole`, async () => {
      const { items, error } = await drain(client.chat(chat));
      assert.equal(error, undefined);
      assert.ok(items.length > 2);
      assert.equal(items.join(''), 'You said: Grüß Gott 🌍');
    });

    it(`${name}: a piece is there while the provider has more to say`, async () => {
      const stream = client.chat(chat, simulated('hang=mid-stream, chunks=4'));
      assert.equal((await readSome(stream, 2)).length, 2);
      const request = gateway.simulator.requests.at(-1);
      await stream.return();
      await request?.closed;
      assert.equal(request?.aborted, true, 'leaving the loop left the provider talking');
    });

    it(`${name}: a stream that is cut throws, and never looks complete`, async () => {
      for (const how of ['die=mid-stream, chunks=6', 'die=after-headers']) {
        const { error } = await drain(client.chat(chat, simulated(how)));
        assert.ok(error instanceof IncompleteError, how);
        assert.equal(error.code, 'incomplete');
        assert.match(error.requestId ?? '', /./);
      }
    });

    it(`${name}: an abort in the midst ends it with its reason, and the provider's work too`, async () => {
      const controller = new AbortController();
      const stream = client.chat(chat, {
        ...simulated('hang=mid-stream, chunks=4'),
        signal: controller.signal,
      });
      await readSome(stream, 1);
      const request = gateway.simulator.requests.at(-1);
      controller.abort(new Error('the user pressed Escape'));
      const { error } = await drain(stream);
      assert.match(String(error), /the user pressed Escape/);
      await request?.closed;
      assert.equal(request?.aborted, true);
    });
  }

  it('responses end with response.completed, and are whole without [DONE]', async () => {
    const body = { model: 'gpt-4o', input: 'Hello', stream: true };
    const { items, error } = await drain(client.stream('openai', 'v1/responses', body));
    assert.equal(error, undefined);
    assert.equal(items.at(-1)?.event, 'response.completed');
    const cut = await drain(
      client.stream('openai', 'v1/responses', body, simulated('die=mid-stream, chunks=6')),
    );
    assert.ok(cut.error instanceof IncompleteError);
  });

  it('a refusal is typed before anything is yielded', async () => {
    const { items, error } = await drain(client.chat(openai, simulated('status=400')));
    assert.deepEqual(items, []);
    assert.ok(error instanceof ProviderError);
  });

  it('an answer that is no stream says what the body lacks', async () => {
    const { error } = await drain(client.stream('openai', CHAT_AT, CHAT));
    assert.match(String(error), /"stream": true/);
  });

  it('a plain answer that is cut throws as well', async () => {
    await assert.rejects(client.call('openai', CHAT_AT, CHAT, simulated('die=mid-json')), {
      name: 'IncompleteError',
    });
  });

  it('a body that is given as text reaches the provider byte for byte', async () => {
    const text =
      '{"model" : "gpt-4o", "seed": 12345678901234567890, "messages":[{"role":"user","content":"\\u00fc"}]}';
    await client.call('openai', `/${CHAT_AT}`, text);
    assert.equal(gateway.simulator.requests.at(-1)?.body.toString(), text);
  });
});
