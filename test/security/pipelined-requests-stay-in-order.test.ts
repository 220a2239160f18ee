import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { RawConnection, rawPost, rawRequest } from '../support/raw-http.ts';
import { CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

const COUNT = 20;

describe('pipelined requests get their own answers, in order, and are counted once each', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  const models = (id: string, ...headers: string[]): Buffer =>
    rawRequest(`GET /proxy/openai/v1/models/${id}`, [stage.bearer, ...headers]);

  it(`${COUNT} in one piece, the first the slowest`, async () => {
    const used = await stage.usedToday();
    const ids = Array.from({ length: COUNT }, (_, index) => `model-${index}`);
    const requests = ids.map((id, index) => models(id, `x-simulate: delay=${(COUNT - index) * 5}`));
    const connection = await RawConnection.open(stage.gateway.url);
    await connection.send(Buffer.concat(requests));
    for (const id of ids) {
      const answer = await connection.next();
      assert.equal((JSON.parse(answer?.body.toString() ?? '{}') as { id: string }).id, id);
    }
    connection.destroy();
    const urls = (await stage.newUpstream()).map(({ url }) => url);
    assert.deepEqual(urls.toSorted(), ids.map((id) => `/v1/models/${id}`).toSorted());
    assert.equal(await stage.usedToday(), used + COUNT);
  });

  it('cut into pieces at every byte that matters', async () => {
    const bytes = Buffer.concat([
      models('first'),
      rawPost('/proxy/openai/v1/chat/completions', [stage.bearer, JSON_TYPE], CHAT),
      models('last', 'Connection: close'),
    ]);
    const connection = await RawConnection.open(stage.gateway.url);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) =>
      bytes.subarray(index * 7, index * 7 + 7),
    );
    const [answers] = await Promise.all([connection.rest(), connection.send(...pieces)]);
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]); // prettier-ignore
    const urls = (await stage.newUpstream()).map(({ url }) => url);
    assert.deepEqual(urls, ['/v1/models/first', '/v1/chat/completions', '/v1/models/last']);
  });

  it('refused ones among them do not put the others out of step', async () => {
    const connection = await RawConnection.open(stage.gateway.url);
    await connection.send(
      Buffer.concat([
        models('first'),
        rawPost('/proxy/openai/v1/files', [stage.bearer, JSON_TYPE], CHAT),
        rawPost('/proxy/openai/v1/chat/completions', [JSON_TYPE], '{"proxy_key":1}'),
        rawPost('/proxy/nobody/v1/models', [stage.bearer], 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n'),
        rawRequest(
          'DELETE /proxy/openai/v1/models/first',
          [stage.bearer, 'Transfer-Encoding: chunked'],
          '0\r\n\r\n',
        ),
        models('last', 'Connection: close'),
      ]),
    );
    const statuses = (await connection.rest()).map(({ status }) => status);
    assert.deepEqual(statuses, [200, 403, 400, 404, 411, 200]);
    const urls = (await stage.newUpstream()).map(({ url }) => url);
    assert.deepEqual(urls, ['/v1/models/first', '/v1/models/last']);
  });
});
