import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { PATIENCE, RawConnection, rawPost } from '../support/raw-http.ts';
import { CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

const ABORTS = 100;
const STREAM = CHAT.replace('{', '{"stream":true,');

// http-proxy 1.18.1 with a finite pool of upstream sockets: a few aborted requests keep theirs, and the next request
// waits for one for ever.
describe(`after ${ABORTS} aborted requests the next one is answered`, () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  async function abort(simulate: string, when: (received: number) => boolean): Promise<void> {
    const { simulator } = stage.gateway;
    const openBefore = simulator.openRequests();
    const connections = await Promise.all(
      Array.from({ length: ABORTS }, () => RawConnection.open(stage.gateway.url)),
    );
    const headers = [stage.bearer, JSON_TYPE, `x-simulate: ${simulate}`];
    const request = rawPost('/proxy/openai/v1/chat/completions', headers, STREAM);
    await Promise.all(connections.map((connection) => connection.send(request)));
    await eventually(() => assert.equal(simulator.openRequests() - openBefore, ABORTS), PATIENCE);
    await Promise.all(connections.map((connection) => connection.receives(({ length }) => when(length))));
    for (const [index, connection] of connections.entries()) {
      if (index % 2 === 0) connection.destroy();
      else connection.reset();
    }
    await eventually(() => assert.equal(simulator.openRequests(), openBefore), PATIENCE);
  }

  it('where the provider had not begun to answer', async () => {
    await abort('hang=before-headers', () => true);
    await stage.assertAlive();
  });

  it('where it was in the middle of a stream', async () => {
    await abort('chunk-delay=60000, chunks=5', (received) => received > 0);
    await stage.assertAlive();
  });
});
