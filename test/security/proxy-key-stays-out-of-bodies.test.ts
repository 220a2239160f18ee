import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { TestDevice } from '../support/gateway.ts';
import { RawConnection, rawPost, rawRequest, type RawResponse } from '../support/raw-http.ts';
import { assertClearError, assertHoldsNoProxyKey, CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

const PATH = '/proxy/openai/v1/chat/completions';
const UPLOAD = 'Content-Type: multipart/form-data; boundary=b';
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

describe('a proxy key in a body does not go to the provider, not even its beginning', () => {
  let stage: RawStage;
  let other: TestDevice;
  let used: number;
  before(async () => {
    stage = await RawStage.start();
    other = await stage.gateway.device({}, 'hw-other');
  });
  beforeEach(async () => {
    used = await stage.usedToday();
  });
  after(() => stage.close());

  const bodyWith = (key: string): string => CHAT.replace('Hello', `My key is ${key}.`);
  const keys = (): string[] => [stage.device.proxyKey, other.proxyKey];

  async function assertRefusedAndFree(answer: RawResponse | undefined): Promise<void> {
    assert.ok(answer !== undefined);
    const { message } = assertClearError(answer, 'a key in the body', 400);
    assert.match(message, /holds a proxy key/);
    for (const request of await stage.newUpstream()) assertHoldsNoProxyKey(request);
    assert.equal(await stage.usedToday(), used, 'what is refused is not charged');
  }

  it('whole, in JSON, in an upload and in a body of no type', async () => {
    for (const key of keys()) {
      for (const type of [JSON_TYPE, UPLOAD, 'Content-Type: text/plain', 'X-No-Type: 1']) {
        await assertRefusedAndFree(await stage.ask(rawPost(PATH, [stage.bearer, type], bodyWith(key))));
      }
    }
    assert.equal(stage.gateway.simulator.requests.length, 0);
  });

  it('in chunks, wherever they are cut', async () => {
    const key = stage.device.proxyKey;
    const headers = [stage.bearer, JSON_TYPE, 'Transfer-Encoding: chunked'];
    const body = bodyWith(key);
    const keyAt = body.indexOf(key);
    for (let cut = keyAt; cut <= keyAt + key.length; cut += 6) {
      const chunks = [chunk(body.slice(0, cut)), chunk(body.slice(cut)), '0\r\n\r\n'];
      await assertRefusedAndFree(await stage.ask(rawRequest(`POST ${PATH}`, headers), ...chunks));
    }
  });

  // The pieces before have gone to the provider when the key comes.
  for (const type of [JSON_TYPE, UPLOAD]) {
    it(`in pieces that come when the provider already listens (${type.slice(14, 24)})`, async () => {
      for (const key of keys()) {
        const body = bodyWith(key);
        const keyAt = body.indexOf(key);
        for (const cuts of [
          [keyAt],
          [keyAt + 1],
          [keyAt + 20],
          [keyAt + 42],
          [keyAt + 2, keyAt + 3, keyAt + 30],
        ]) {
          const pieces = [0, ...cuts].map((from, index) => body.slice(from, cuts[index]));
          const connection = await RawConnection.open(stage.gateway.url);
          await connection.send(
            rawRequest(`POST ${PATH}`, [stage.bearer, type, 'Transfer-Encoding: chunked']),
          );
          for (const piece of pieces) {
            await connection.send(chunk(piece));
            const { simulator } = stage.gateway;
            if (piece === pieces[0])
              await simulator.waitForRequest(({ ended, aborted }) => !ended && !aborted);
          }
          await connection.send('0\r\n\r\n');
          await assertRefusedAndFree(await connection.next());
          // The connection is in step: what was refused has been read to its end.
          await connection.send(rawRequest('GET /health', ['Connection: close']));
          assert.deepEqual((await connection.rest()).map(({ status }) => status), [200]); // prettier-ignore
        }
      }
    });
  }

  it('what only begins like a key passes, to the byte, in whatever pieces it comes', async () => {
    const text = `p px px_ px_short ${stage.device.proxyKey.slice(0, -1)}- px_${'a'.repeat(40)} px_px_p`;
    const body = CHAT.replace('Hello', text);
    const headers = [stage.bearer, JSON_TYPE, 'Transfer-Encoding: chunked'];
    const pieces = Array.from(body, chunk);
    const connection = await RawConnection.open(stage.gateway.url);
    await connection.send(rawRequest(`POST ${PATH}`, headers), ...pieces, '0\r\n\r\n');
    assert.equal((await connection.next())?.status, 200);
    connection.destroy();
    const [request, ...others] = await stage.newUpstream();
    assert.equal(request?.body.toString(), body);
    assert.equal(others.length, 0);
  });
});
