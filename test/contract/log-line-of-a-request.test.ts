import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { CHAT_PATH } from '../support/streams.ts';

describe('the one line of a request', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ env: { LOG_LEVEL: 'info' } });
    device = await gateway.device({ daily_limit: 5 });
  });
  after(() => gateway.close());

  const lineOf = async (
    body: object,
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown>> => {
    const answer = await gateway.request(`${CHAT_PATH}?q=hidden`, {
      headers: { authorization: `Bearer ${device.proxyKey}`, ...headers },
      body: { model: 'gpt-4o', messages: [], ...body },
    });
    const id = answer.headers.get('x-licensify-request-id');
    return eventually(() => {
      const lines = gateway.logLines().filter(({ requestId }) => requestId === id);
      assert.equal(lines.length, 1);
      return lines[0] ?? {};
    }, 2_000);
  };

  it('says who asked what of whom, how it ended, how long each part took, and how many bytes', async () => {
    const {
      time,
      requestId,
      durationMs,
      overheadMs,
      firstByteMs,
      received,
      sent,
      device: id,
      ...rest
    } = await lineOf({});
    assert.deepEqual(rest, {
      level: 'info',
      method: 'POST',
      path: '/v1/chat/completions',
      provider: 'openai',
      model: 'gpt-4o',
      license: device.licenseId,
      tier: 'pro',
      status: 200,
      outcome: 'ok',
      used: 1,
      limit: 5,
      msg: 'request ended',
    });
    assert.ok(typeof time === 'string' && typeof requestId === 'string' && typeof id === 'number');
    assert.ok(Number(overheadMs) > 0 && Number(firstByteMs) > 0);
    assert.ok(Number(durationMs) >= Number(overheadMs));
    assert.ok(Number(received) > 200 && Number(received) < 2_000, String(received));
    assert.ok(Number(sent) > 300 && Number(sent) < 5_000, String(sent));
  });

  it('says so of a stream, and counts its bytes as its own on a kept-alive connection', async () => {
    const plain = await lineOf({});
    const stream = await lineOf({ stream: true });
    assert.equal(stream.stream, true);
    assert.equal(plain.stream, undefined);
    assert.ok(Math.abs(Number(stream.received) - Number(plain.received)) < 200);
  });

  it('is a warning where the provider failed, an error where we did, and information otherwise', async () => {
    const levelOf = async (simulate: string): Promise<unknown[]> => {
      const { level, outcome } = await lineOf({}, { 'x-simulate': simulate });
      return [level, outcome];
    };
    assert.deepEqual(await levelOf('status=500'), ['info', 'ok']);
    assert.deepEqual(await levelOf('die=before-headers'), ['warn', 'upstream_unreachable']);
    assert.deepEqual(await levelOf('status=401'), ['error', 'provider_auth_failed']);
    // None of these was charged, so that the limit of five is not reached yet.
    for (let used = 4; used <= 5; used += 1) assert.deepEqual(await levelOf(''), ['info', 'ok']);
    assert.deepEqual(await levelOf(''), ['info', 'rate_limit_exceeded']);
  });
});
