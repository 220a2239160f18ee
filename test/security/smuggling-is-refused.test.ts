import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { RawConnection, type RawResponse } from '../support/raw-http.ts';
import {
  acceptedAttempts,
  POST_LINE,
  refusedAttempts,
  unknownCodings,
  type Attempt,
} from '../support/raw-smuggling.ts';
import { assertClearError, assertHoldsNoProxyKey, CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

const UPSTREAM_POST = 'POST /v1/chat/completions';

describe('each client request makes at most one upstream request', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  function bytesOf({ requestLine = POST_LINE, headers, body }: Attempt): Buffer {
    const lines = [requestLine, 'Host: gateway.test', stage.bearer, JSON_TYPE, ...headers, '', body];
    return Buffer.from(lines.join('\r\n'), 'latin1');
  }

  async function upstream(): Promise<string[]> {
    const requests = await stage.newUpstream();
    requests.forEach(assertHoldsNoProxyKey);
    return requests.map(({ method, url }) => `${method} ${url}`);
  }

  for (const attempt of refusedAttempts()) {
    it(`refused: ${attempt.name}`, async () => {
      const connection = await RawConnection.open(stage.gateway.url);
      const [answers] = await Promise.all([connection.rest(), connection.send(bytesOf(attempt))]);
      connection.destroy();
      const [answer, ...others] = answers;
      assert.ok(answer !== undefined, 'closed without an answer');
      assertClearError(answer, attempt.name, 400);
      assert.equal(others.length, 0, 'one answer to one request');
      const reached = await upstream();
      // A body that goes wrong in its middle may have been begun.
      assert.ok(
        reached.length === 0 || (reached.length === 1 && reached[0] === UPSTREAM_POST),
        reached.join(),
      );
    });
  }

  for (const coding of unknownCodings) {
    it(`not passed on: ${JSON.stringify(coding)}`, async () => {
      const body = `41\r\n${CHAT}\r\n0\r\n\r\n`;
      const answer = await stage.ask(bytesOf({ name: coding, headers: [coding], body }));
      assertClearError(answer, coding, 400);
      assert.deepEqual(await upstream(), []);
    });
  }

  for (const attempt of acceptedAttempts()) {
    it(`one request: ${attempt.name}`, async () => {
      const connection = await RawConnection.open(stage.gateway.url);
      await connection.send(bytesOf(attempt), 'GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      const answers: RawResponse[] = await connection.rest();
      assert.deepEqual(answers.map(({ status }) => status), [200, 200]); // prettier-ignore
      const [request, ...others] = await stage.newUpstream();
      assert.ok(request !== undefined && others.length === 0);
      assert.equal(`${request.method} ${request.url}`, UPSTREAM_POST);
      assert.equal(request.body.toString(), CHAT);
      assertHoldsNoProxyKey(request);
    });
  }

  it('and the gateway serves on', () => stage.assertAlive());
});
