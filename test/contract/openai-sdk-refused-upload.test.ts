import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { waitUntil } from '../support/recorded-usage.ts';
import { openaiAt, refusingUrl, startSdkStage, type SdkStage } from '../support/sdk-stage.ts';

const megabytes = 8;

/** A refused upload, by what refuses it: from the first look at the key to the provider that cannot be reached. */
const refusals = ['unknown key', 'used-up quota', 'unreachable provider'] as const;

describe('an upload that is refused before it was read', () => {
  let stage: SdkStage;
  let alone: TestGateway;
  let where: Record<(typeof refusals)[number], { gateway: TestGateway; key: string; status: number }>;
  let agent: Agent;
  before(async () => {
    stage = await startSdkStage();
    alone = await startTestGateway({ joins: stage.gateway, env: { OPENAI_BASE_URL: await refusingUrl() } });
    const { proxyKey: used } = await stage.gateway.device({ daily_limit: 0 });
    where = {
      'unknown key': { gateway: stage.gateway, key: 'px_unknown', status: 401 },
      'used-up quota': { gateway: stage.gateway, key: used, status: 429 },
      'unreachable provider': { gateway: alone, key: stage.device.proxyKey, status: 502 },
    };
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
  });
  after(async () => {
    agent.destroy();
    await alone.close();
    await stage.close();
  });

  function upload(gateway: TestGateway, key: string, headers: Record<string, string> = {}): ClientRequest {
    return httpRequest(`${gateway.url}/proxy/openai/v1/audio/transcriptions`, {
      agent,
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'multipart/form-data; boundary=x',
        ...headers,
      },
    });
  }

  for (const refusal of refusals) {
    it(`(${refusal}) is its typed exception, however large it is`, async () => {
      const { gateway, key, status } = where[refusal];
      const client = openaiAt(gateway, key, { maxRetries: 0 });
      const file = await toFile(Buffer.alloc(megabytes * 1024 * 1024, 7), 'long.mp3');
      const call = client.audio.transcriptions.create({ file, model: 'whisper-1' });
      await assert.rejects(call, (error) => error instanceof OpenAI.APIError && error.status === status);
    });

    it(`(${refusal}) leaves its connection to the next request`, async () => {
      const { gateway, key, status } = where[refusal];
      const refused = upload(gateway, key);
      const signal = AbortSignal.timeout(20_000); // unread, the rest would never leave
      const sent = once(refused, 'finish', { signal });
      refused.end(Buffer.alloc(megabytes * 1024 * 1024, 7));
      const [answer] = (await once(refused, 'response', { signal })) as [IncomingMessage];
      await sent;
      await text(answer);
      assert.equal(answer.statusCode, status);

      const next = httpRequest(`${gateway.url}/health`, { agent }).end();
      const [healthy] = (await once(next, 'response', { signal })) as [IncomingMessage];
      await text(healthy);
      assert.equal(healthy.statusCode, 200);
      assert.equal(next.reusedSocket, true);
    });
  }

  it('(our key, refused by the provider at once) is not left half sent', async () => {
    const { gateway, device } = stage;
    const open = gateway.simulator.openSockets();
    const refused = upload(gateway, device.proxyKey, { 'x-simulate': 'early-response, status=401' });
    refused.write('--x\r\n');
    const [answer] = (await once(refused, 'response')) as [IncomingMessage];
    assert.equal(answer.statusCode, 502);
    await waitUntil(() => assert.ok(gateway.simulator.openSockets() <= open));
    refused.end();
    await text(answer);
  });
});
