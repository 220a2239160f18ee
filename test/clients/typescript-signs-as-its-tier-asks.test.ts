import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { after, before, describe, it } from 'node:test';
import type { LicensifyOptions } from '../../clients/typescript/src/index.ts';
import { CHAT, CHAT_AT, ClientDevice, drain } from '../support/client-stage.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { assertOnlyRealKeysIn, failFirst, inPieces } from '../support/sdk-stage.ts';
import { signingTiers } from '../support/signing.ts';

const messages = [{ role: 'user' as const, content: 'Grüß Gott 🌍' }];
const said = 'You said: Grüß Gott 🌍';
const claude = { model: 'claude-3-5-haiku-latest', max_tokens: 100, messages };
const query = { query: { a: 'b?c=d', 'e/f': '' } };

/** What a client sent, besides its bodies. */
class Sent {
  #instead: Response | undefined;
  readonly requests: { path: string; headers: Headers; body: unknown }[] = [];
  readonly options: Partial<LicensifyOptions> = {
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : input.toString();
      const { pathname, protocol } = new URL(url);
      // OpenAI's SDK tries what the fetch can do with a data: URL.
      if (protocol === 'http:') {
        this.requests.push({ path: pathname, headers: new Headers(init?.headers), body: init?.body });
      }
      const answer = await fetch(input, init);
      const instead = this.#instead;
      this.#instead = undefined;
      if (instead !== undefined) await answer.text();
      return instead ?? answer;
    },
  };

  /** The next request gets there, but its answer does not get back. */
  answerNext(answer: Response): void {
    this.#instead = answer;
  }

  /** How each call of a provider was signed, and how often there was an activation. */
  how(): string[] {
    const ways = this.requests.map(({ path, headers, body }) => {
      if (path === '/activate') return path;
      if (headers.has('signature')) return 'ed25519';
      const isStamped =
        headers.has('x-licensify-signature') || /"signature":"[0-9a-f]{64}"/.test(String(body));
      return isStamped ? 'hmac' : 'unsigned';
    });
    return [...new Set(ways)];
  }
}

for (const [tier, way, activations] of [
  ['pro', 'unsigned', 1],
  ['signed', 'hmac', 1],
  ['bound', 'ed25519', 2],
] as const) {
  describe(`on the tier "${tier}" the TypeScript client sends ${way}, with nobody telling it to:`, () => {
    let gateway: TestGateway;
    before(async () => {
      gateway = await startTestGateway({ tiers: signingTiers(), counters: 'memory' });
    });
    after(() => gateway.close());

    async function onDevice(work: (device: ClientDevice, sent: Sent, licenseKey: string) => Promise<void>) {
      using device = new ClientDevice(gateway);
      const sent = new Sent();
      await work(device, sent, (await gateway.createLicense({ tier })).licenseKey);
      assert.deepEqual(sent.how(), ['/activate', way]);
      assert.equal(sent.requests.filter(({ path }) => path === '/activate').length, activations);
      assert.ok(gateway.logLines().every(({ outcome }) => outcome !== 'invalid_signature'));
      assertOnlyRealKeysIn(gateway.simulator.requests);
    }

    it('plain, streamed, at the next start, and the same many times at once', () =>
      onDevice(async (device, sent, licenseKey) => {
        await device.start({ ...sent.options, licenseKey }).call('openai', CHAT_AT, CHAT);
        const client = device.start(sent.options);
        const same = Array.from({ length: 20 }, () => client.call('openai', CHAT_AT, CHAT));
        assert.equal((await Promise.all(same)).length, 20);
        for (const provider of ['openai', 'anthropic'] as const) {
          const { items } = await drain(client.chat({ provider, model: claude.model, messages }));
          assert.equal(items.join(''), said);
        }
        const spaced = `\n {"model": "gpt-4o", "messages": [{"role":"user","content":"ü"}] }\t\n`;
        await client.call('openai', `/${CHAT_AT}?a=%2F&b=ü`, spaced);
        assert.equal(gateway.simulator.requests.at(-1)?.body.toString(), spaced.trim());
      }));

    it('through both SDKs: plain, streamed, lists, and uploads, whatever their bodies are made of', () =>
      onDevice(async (device, sent, licenseKey) => {
        const client = device.start({ ...sent.options, licenseKey });
        const openai = new OpenAI(await client.openai());
        const anthropic = new Anthropic(await client.anthropic());
        const completion = await openai.chat.completions.create({ model: 'gpt-4o', messages }, query);
        assert.equal(completion.choices[0]?.message.content, said);
        const chunks = await openai.chat.completions.create({ model: 'gpt-4o', messages, stream: true });
        const pieces = (await drain(chunks)).items.map((chunk) => chunk.choices[0]?.delta.content ?? '');
        assert.equal(pieces.join(''), said);
        const message = await anthropic.messages.create(claude);
        assert.deepEqual(message.content, [{ type: 'text', text: said }]);
        assert.equal(await anthropic.messages.stream(claude).finalText(), said);
        assert.ok((await openai.models.list()).data.length > 0);
        assert.ok((await anthropic.models.list({ limit: 2 })).data.length > 0);
        const file = await toFile(Buffer.alloc(200_000, 7), 'a.mp3', { type: 'audio/mpeg' });
        const { text } = await openai.audio.transcriptions.create({ file, model: 'whisper-1' });
        assert.match(text, /^Received a\.mp3 \(audio\/mpeg, 200000 bytes/);

        const json = JSON.stringify({ model: 'gpt-4o', messages });
        const headers = { authorization: 'Bearer any', 'content-type': 'application/json' };
        const url = `${gateway.url}/proxy/openai/${CHAT_AT}`;
        const stream = ReadableStream.from(inPieces(json, 20));
        const streamed = await client.fetch(url, {
          method: 'POST',
          headers,
          body: stream,
          duplex: 'half',
        });
        assert.equal(streamed.status, 200, await streamed.text());
        const asked = await client.fetch(new Request(url, { method: 'POST', headers, body: json }));
        assert.equal(asked.status, 200, await asked.text());
        assert.equal(gateway.simulator.requests.at(-1)?.body.toString(), json);
      }));

    it('and each retry anew: of the SDK, and the client’s own after a 503', () =>
      onDevice(async (device, sent, licenseKey) => {
        const client = device.start({ ...sent.options, licenseKey });
        const openai = new OpenAI(await client.openai());
        failFirst(gateway, 2, { status: 500 });
        await openai.chat.completions.create({ model: 'gpt-4o', messages });
        gateway.simulator.behave(() => undefined);
        // What was sent has been accepted, and its answer is another: the same signature is good no more.
        const said503 = '{"error":"Usage cannot be counted","code":"counters_unavailable"}';
        sent.answerNext(new Response(said503, { status: 503, headers: { 'retry-after': '0' } }));
        const before = gateway.simulator.requests.length;
        await client.call('openai', CHAT_AT, CHAT);
        assert.equal(gateway.simulator.requests.length, before + 2);
      }));
  });
}
