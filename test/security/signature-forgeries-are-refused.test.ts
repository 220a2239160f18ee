import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import {
  CHAT,
  send,
  sentenceOf,
  signingTiers,
  stamp,
  stampHeaders,
  timestampAt,
} from '../support/signing.ts';

const body = '{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}';
const clock = new FakeClock('2026-11-25T12:00:00Z');
const NOW = clock.now();

describe('a forged signature', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  let other: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ tiers: signingTiers(), counters: 'memory', clock });
    device = await gateway.device({ tier: 'signed' });
    other = await gateway.device({ tier: 'signed' });
  });
  after(() => gateway.close());

  /** Sends the body with a stamp, in the drop-in form and in an envelope, and expects the same of both. */
  async function refused(
    { timestamp, signature }: { timestamp: string; signature: string },
    says: RegExp,
    sent = body,
  ): Promise<void> {
    const seen = gateway.simulator.requests.length;
    const headers = { authorization: `Bearer ${device.proxyKey}`, ...stampHeaders({ timestamp, signature }) };
    const fields = { proxy_key: device.proxyKey, provider: 'openai', timestamp, signature };
    const envelope = `${JSON.stringify(fields).slice(0, -1)},"body":${sent}}`;
    for (const options of [{ headers, body: sent }, { body: envelope }]) {
      const answer = await send(gateway, CHAT, options);
      assert.equal(answer.status, 401, answer.text);
      assert.match(sentenceOf(answer), says);
      if (signature.length > 60) assert.equal(answer.text.includes(signature), false);
    }
    assert.equal(gateway.simulator.requests.length, seen, 'nothing of it reaches the provider');
    assert.equal((await gateway.gateway.admission.used(device.licenseId)).today, 0, 'nothing is counted');
  }

  const at = timestampAt(NOW);
  const noMatch = /^Invalid signature\. It does not match/;

  it('over another body is refused', async () => {
    await refused(stamp(device.proxyKey, 'openai', body, at), noMatch, body.replace('Hello', 'Hullo'));
    await refused(stamp(device.proxyKey, 'openai', body, at), noMatch, body.replace('{', '{ '));
    await refused(stamp(device.proxyKey, 'openai', '', at), noMatch);
  });

  it('with another device’s key, or none, is refused', async () => {
    await refused(stamp(other.proxyKey, 'openai', body, at), noMatch);
    await refused(stamp('', 'openai', body, at), noMatch);
  });

  it('for the other provider is refused', () =>
    refused(stamp(device.proxyKey, 'anthropic', body, at), noMatch));

  it('over another time than it says is refused', async () => {
    const { signature } = stamp(device.proxyKey, 'openai', body, at);
    await refused({ signature, timestamp: timestampAt(NOW + 1_000) }, noMatch);
    // The same moment, but not the same text.
    await refused({ signature, timestamp: `${at}0` }, noMatch);
  });

  it('of another time than ours is refused, and told the time of the server', async () => {
    for (const apart of [-300_001, 300_001, -NOW, 86_400_000]) {
      const late = stamp(device.proxyKey, 'openai', body, timestampAt(NOW + apart));
      await refused(late, new RegExp(`more than 300 seconds off the server's time, ${NOW / 1_000}$`));
    }
    // Milliseconds, as JavaScript has them.
    await refused(stamp(device.proxyKey, 'openai', body, String(NOW)), /off the server's time/);
  });

  it('that is malformed is refused, and told what is wrong', async () => {
    const { signature } = stamp(device.proxyKey, 'openai', body, at);
    for (const wrong of [
      '-',
      'zz',
      signature.slice(1),
      `${signature}0`,
      `${signature.slice(1)}g`,
      `0x${signature}`,
    ])
      await refused({ timestamp: at, signature: wrong }, /64 hexadecimal digits/);
    for (const wrong of ['2026-11-25T12:00:00Z', '-1', '1e9', '0x10', '1.', '.5', '1764072000 1', 'NaN'])
      await refused(stamp(device.proxyKey, 'openai', body, wrong), /timestamp must be Unix seconds/);
  });

  it('with one of the two missing is refused', async () => {
    const { timestamp, signature } = stamp(device.proxyKey, 'openai', body, at);
    const authorization = `Bearer ${device.proxyKey}`;
    const noTime = await send(gateway, CHAT, {
      headers: { authorization, 'x-licensify-signature': signature },
      body,
    });
    assert.match(sentenceOf(noTime), /timestamp is missing/);
    const noSignature = await send(gateway, CHAT, {
      headers: { authorization, 'x-licensify-timestamp': timestamp },
      body,
    });
    assert.match(sentenceOf(noSignature), /signature is missing/);
  });

  it('twice in one envelope is no envelope', async () => {
    const { timestamp, signature } = stamp(device.proxyKey, 'openai', body, at);
    const envelope = `{"proxy_key":"${device.proxyKey}","provider":"openai","timestamp":"${timestamp}","signature":"${signature}","signature":"${signature}","body":${body}}`;
    const answer = await send(gateway, CHAT, { body: envelope });
    assert.equal(answer.status, 400);
    assert.match(sentenceOf(answer), /"signature" stands in the envelope more than once/);
  });

  it('is the only kind that is refused: five minutes off, either way, and in capitals are fine', async () => {
    for (const apart of [-300_000, 300_000]) {
      const headers = stampHeaders(stamp(device.proxyKey, 'openai', body, timestampAt(NOW + apart)));
      headers['x-licensify-signature'] = headers['x-licensify-signature']?.toUpperCase() ?? '';
      const answer = await send(gateway, CHAT, {
        headers: { authorization: `Bearer ${device.proxyKey}`, ...headers },
        body,
      });
      assert.equal(answer.status, 200, answer.text);
    }
  });
});
