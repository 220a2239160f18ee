import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { OPENAI_KEY } from '../support/simulator/simulator.ts';
import { chat, CHAT_PATH, FORMS, usageOf, type Form } from '../support/streams.ts';

const LIMIT = 100;

/** What a provider answers, and whether it counts (contract §4.4). */
const rows: { simulate: string; status: number; counts: boolean; retryAfter?: string }[] = [
  { simulate: '', status: 200, counts: true },
  { simulate: 'status=301, location=https://elsewhere.example/', status: 301, counts: true },
  { simulate: 'status=304', status: 304, counts: true },
  { simulate: 'status=400', status: 400, counts: true },
  { simulate: 'status=403', status: 403, counts: true },
  { simulate: 'status=404', status: 404, counts: true },
  { simulate: 'status=409, retry-after=3', status: 409, counts: true, retryAfter: '3' },
  { simulate: 'status=422', status: 422, counts: true },
  { simulate: 'status=429', status: 429, counts: false, retryAfter: '1' },
  { simulate: 'status=429, retry-after=7', status: 429, counts: false, retryAfter: '7' },
  { simulate: 'status=500', status: 500, counts: false },
  { simulate: 'status=502', status: 502, counts: false },
  { simulate: 'status=503, retry-after=9', status: 503, counts: false, retryAfter: '9' },
  { simulate: 'status=529', status: 529, counts: false },
];

for (const counters of ['redis', 'memory'] as const) {
  describe(`what a provider answers reaches the client unchanged, counters in ${counters}`, () => {
    let gateway: TestGateway;
    let device: TestDevice;
    let used = 0;
    before(async () => {
      gateway = await startTestGateway({ counters });
      device = await gateway.device({ daily_limit: LIMIT });
    });
    after(() => gateway.close());

    const ask = (form: Form, simulate: string): Promise<Response> =>
      fetch(gateway.url + CHAT_PATH, {
        method: 'POST',
        redirect: 'manual',
        ...chat(device, { form, simulate }),
      });

    const askDirectly = (simulate: string): Promise<Response> => {
      const { headers, body } = chat(device, { simulate });
      return fetch(`${gateway.simulator.url}/v1/chat/completions`, {
        method: 'POST',
        redirect: 'manual',
        headers: { ...headers, authorization: `Bearer ${OPENAI_KEY}` },
        body,
      });
    };

    for (const form of FORMS) {
      for (const { simulate, status, counts, retryAfter } of rows) {
        it(`${form}: ${simulate || '200'} ${counts ? 'counts' : 'is given back'}`, async () => {
          const direct = await askDirectly(simulate);
          const answer = await ask(form, simulate);
          if (counts) used += 1;
          const remaining = String(LIMIT - used);
          assert.equal(answer.status, status);
          assert.equal(direct.status, status);
          assert.equal(await answer.text(), await direct.text());
          for (const name of ['content-type', 'location', 'retry-after', 'content-length', 'cf-ray']) {
            assert.equal(answer.headers.get(name), direct.headers.get(name), name);
          }
          assert.equal(answer.headers.get('retry-after'), retryAfter ?? null);
          assert.equal(answer.headers.get('x-ratelimit-remaining'), remaining);
          assert.equal(answer.headers.get('x-ratelimit-limit'), String(LIMIT));
          assert.deepEqual(await usageOf(gateway, device), { today: used, this_month: used });
          const next = await ask(form, '');
          used += 1;
          assert.equal(next.headers.get('x-ratelimit-remaining'), String(LIMIT - used));
          await next.text();
        });
      }
    }
  });
}
