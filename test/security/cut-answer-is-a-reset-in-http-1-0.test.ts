import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { RawConnection } from '../support/raw-http.ts';
import { CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

const STREAM = CHAT.replace('{', '{"stream":true,');

// nginx speaks HTTP/1.0 to its upstreams unless told otherwise. A body without a length ends there with the connection,
// and an ordinary end would make what was cut off look whole.
describe('an HTTP/1.0 client can tell an answer that was cut off from a whole one', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  async function open(simulate: string): Promise<RawConnection> {
    const lines = [
      'POST /proxy/openai/v1/chat/completions HTTP/1.0',
      stage.bearer,
      JSON_TYPE,
      `Content-Length: ${STREAM.length}`,
      `x-simulate: ${simulate}`,
    ];
    const connection = await RawConnection.open(stage.gateway.url);
    await connection.send([...lines, '', STREAM].join('\r\n'));
    return connection;
  }

  it('a whole stream ends with the connection', async () => {
    const connection = await open('chunks=3');
    const [answer, ...others] = await connection.rest();
    assert.match(answer?.body.toString() ?? '', /data: \[DONE\]\n\n$/);
    assert.equal(others.length, 0);
    assert.equal(await connection.closed(), 'ended');
    connection.destroy();
  });

  for (const simulate of ['die=mid-stream', 'die=after-headers']) {
    it(`a provider that dies resets it: ${simulate}`, async () => {
      const connection = await open(simulate);
      assert.equal(await connection.closed(), 'reset');
      connection.destroy();
    });
  }

  it('so does the end of the license, in the middle of a stream', async () => {
    const connection = await open('hang=mid-stream');
    await connection.receives(({ length }) => length > 0);
    const { licenseId } = stage.device;
    assert.equal(
      (await stage.gateway.admin(`/licenses/${licenseId}/revoke`, { method: 'POST' })).status,
      200,
    );
    assert.equal(await connection.closed(), 'reset');
    connection.destroy();
  });
});
