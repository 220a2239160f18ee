import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import {
  FORMS,
  startProvider,
  startRawProvider,
  usageOf,
  type Form,
  type OwnProvider,
} from '../support/streams.ts';

/** What is wrong with each provider, and the base URL that leads there. */
const troubles: Record<string, (closed: OwnProvider, plain: OwnProvider, raw: OwnProvider) => string> = {
  'refuses the connection': (closed) => closed.url,
  'has a name that nobody knows': () => 'http://provider.invalid',
  'speaks no TLS': (_, plain) => plain.url.replace('http:', 'https:'),
  'closes the connection before its headers': (_, __, raw) => raw.url,
};

for (const counters of ['redis', 'memory'] as const) {
  describe(`502 upstream_unreachable, given back, counters in ${counters}`, () => {
    const running: { close(): Promise<void> }[] = [];
    const gateways = new Map<string, { gateway: TestGateway; device: TestDevice }>();
    before(async () => {
      const closed = await startProvider(() => undefined);
      await closed.close();
      const plain = await startProvider((_req, res) => res.end('{}'));
      const raw = await startRawProvider((socket) => socket.once('data', () => socket.end()));
      running.push(plain, raw);
      await Promise.all(
        Object.entries(troubles).map(async ([name, url]) => {
          const gateway = await startTestGateway({
            counters,
            env: { OPENAI_BASE_URL: url(closed, plain, raw), UPSTREAM_TIMEOUT_MS: '60000' },
          });
          running.push(gateway);
          gateways.set(name, { gateway, device: await gateway.device({ daily_limit: 1 }) });
        }),
      );
    });
    after(() => Promise.all(running.map((one) => one.close())));

    for (const trouble of Object.keys(troubles)) {
      for (const form of FORMS) {
        it(`a provider that ${trouble}, ${form}`, async () => {
          const { gateway, device } = gateways.get(trouble) ?? assert.fail();
          await assertUnreachable(gateway, device, { form });
        });
      }
    }

    for (const form of FORMS) {
      it(`a provider that resets the connection before its headers, ${form}`, async () => {
        // The other provider of one of these gateways is the simulator.
        const { gateway, device } = gateways.get('refuses the connection') ?? assert.fail();
        await assertUnreachable(gateway, device, {
          form,
          provider: 'anthropic',
          simulate: 'die=before-headers',
        });
        assert.ok(gateway.simulator.requests.length > 0);
      });
    }
  });
}

async function assertUnreachable(
  gateway: TestGateway,
  device: TestDevice,
  {
    form,
    provider = 'openai',
    simulate,
  }: { form: Form; provider?: 'openai' | 'anthropic'; simulate?: string },
): Promise<void> {
  const path = provider === 'openai' ? 'v1/chat/completions' : 'v1/messages';
  const body = { model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] };
  const answer = await gateway.request(`/proxy/${provider}/${path}`, {
    headers: {
      ...(form === 'drop-in' && { authorization: `Bearer ${device.proxyKey}` }),
      ...(simulate !== undefined && { 'x-simulate': simulate }),
    },
    body: form === 'drop-in' ? body : { proxy_key: device.proxyKey, provider, body },
  });
  assert.equal(answer.status, 502, answer.text);
  const sentence = `${provider === 'openai' ? 'OpenAI' : 'Anthropic'} cannot be reached at the moment`;
  const { error } = answer.body as unknown as { error: string | { message: string; code?: string } };
  if (typeof error === 'string')
    assert.deepEqual(answer.body, { error: sentence, code: 'upstream_unreachable' });
  else assert.equal(error.message, sentence);
  assert.equal(answer.headers.get('x-ratelimit-remaining'), '1');
  assert.deepEqual(await usageOf(gateway, device), { today: 0, this_month: 0 });
  // The cause, with the address that could not be reached, is for the log alone.
  const line = gateway.logLines().findLast(({ outcome }) => outcome === 'upstream_unreachable');
  assert.ok(line?.err);
}
