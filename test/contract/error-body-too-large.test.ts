import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { headerValue, RawConnection, rawRequest, type RawResponse } from '../support/raw-http.ts';
import { assertNothingOpen, CHAT_PATH, fetchChat, usageOf } from '../support/streams.ts';

const MAX = 100_000;
const SENTENCE = `The request body is larger than ${MAX} bytes`;

for (const counters of ['redis', 'memory'] as const) {
  describe(`a request body larger than MAX_BODY_BYTES is refused with 413, counters in ${counters}`, () => {
    let gateway: TestGateway;
    let device: TestDevice;
    before(async () => {
      gateway = await startTestGateway({ counters, env: { MAX_BODY_BYTES: String(MAX) } });
      device = await gateway.device({ daily_limit: 5 });
    });
    after(() => gateway.close());

    async function send(headers: string[], ...pieces: (string | Buffer)[]): Promise<RawResponse> {
      const client = await RawConnection.open(gateway.url);
      const all = ['Content-Type: application/json', ...headers];
      const sending = client.send(rawRequest(`POST ${CHAT_PATH}`, all), ...pieces);
      const answer = await client.next();
      await sending;
      client.destroy();
      assert.ok(answer);
      return answer;
    }

    const bearer = (): string => `Authorization: Bearer ${device.proxyKey}`;
    const json = (answer: RawResponse): unknown => JSON.parse(answer.body.toString());
    const openaiShape = {
      error: { message: SENTENCE, type: 'invalid_request_error', param: null, code: 'body_too_large' },
    };
    const ownShape = { error: SENTENCE, code: 'body_too_large' };

    it('declared, drop-in: before the provider is asked', async () => {
      const answer = await send([bearer(), `Content-Length: ${MAX + 1}`]);
      assert.equal(answer.status, 413);
      assert.deepEqual(json(answer), openaiShape);
      assert.equal(gateway.simulator.requests.length, 0);
      assert.equal((await usageOf(gateway, device)).today, 0);
    });

    it('declared, envelope: before the provider is asked', async () => {
      const answer = await send([`Content-Length: ${MAX + 1}`]);
      assert.equal(answer.status, 413);
      assert.deepEqual(json(answer), ownShape);
      assert.equal(gateway.simulator.requests.length, 0);
    });

    it('chunked, envelope: before the provider is asked', async () => {
      const begin = `{"proxy_key":"${device.proxyKey}","provider":"openai","body":{"x":"`;
      const answer = await send(['Transfer-Encoding: chunked'], ...chunks(begin, MAX + 1));
      assert.equal(answer.status, 413);
      assert.deepEqual(json(answer), ownShape);
      assert.equal(gateway.simulator.requests.length, 0);
      assert.equal((await usageOf(gateway, device)).today, 0);
    });

    it('chunked, drop-in: the provider’s request is cut, and the quota given back', async () => {
      const answer = await send([bearer(), 'Transfer-Encoding: chunked'], ...chunks('{"x":"', MAX + 1));
      assert.equal(answer.status, 413);
      assert.deepEqual(json(answer), openaiShape);
      assert.equal(headerValue(answer, 'x-ratelimit-remaining'), '5');
      await assertNothingOpen(gateway);
      for (const request of gateway.simulator.requests) {
        assert.equal(request.aborted, true);
        assert.ok(request.body.length <= MAX);
      }
      assert.equal((await usageOf(gateway, device)).today, 0);
    });

    it('one of exactly that size passes', async () => {
      const prefix = '{"model":"gpt-4o","messages":[{"role":"user","content":"';
      const body = `${prefix.padEnd(MAX - 4, 'x')}"}]}`;
      assert.equal(body.length, MAX);
      const answer = await send([bearer(), `Content-Length: ${MAX}`], body);
      assert.equal(answer.status, 200);
      const next = await fetchChat(gateway, device);
      assert.equal(next.headers.get('x-ratelimit-remaining'), '3');
      await next.text();
    });
  });
}

/** A chunked body that begins with a text and goes on beyond a length; it never ends. */
function chunks(begin: string, length: number): string[] {
  const text = begin.padEnd(length, 'x');
  const pieces = text.match(/[^]{1,10000}/g) ?? [];
  return pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
}
