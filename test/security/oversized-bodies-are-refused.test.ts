import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { RawConnection, rawRequest, type RawResponse } from '../support/raw-http.ts';
import { assertClearError, assertOwnError, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

const PATH = '/proxy/openai/v1/chat/completions';
const TOO_MUCH = 33 * 1024 * 1024;
const CHUNK = 65_536;

describe('33 MB are too much: 413, nothing is charged, and the connection is usable afterwards', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  const begun = (): string => `{"proxy_key":"${stage.device.proxyKey}","provider":"openai","body":{"a":"`;

  /** Sends all of it, whatever the answer says meanwhile, and then one more request on the same connection. */
  async function send(headers: string[], pieces: (string | Buffer)[]): Promise<RawResponse> {
    const connection = await RawConnection.open(stage.gateway.url);
    const sending = connection.send(rawRequest(`POST ${PATH}`, headers), ...pieces);
    const answer = await connection.next({ withinMs: 60_000 });
    await sending;
    await connection.send(rawRequest('GET /health', ['Connection: close']));
    const [next] = await connection.rest();
    connection.destroy();
    assert.equal(next?.status, 200, 'the connection is out of step');
    assert.ok(answer !== undefined);
    return answer;
  }

  function filler(start: string, chunked: boolean): (string | Buffer)[] {
    const piece = Buffer.alloc(CHUNK, 'a');
    const chunk = Buffer.concat([Buffer.from(`${CHUNK.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
    const count = Math.ceil(TOO_MUCH / CHUNK);
    const first = chunked ? `${start.length.toString(16)}\r\n${start}\r\n` : start;
    const all = Array.from({ length: count }, () => (chunked ? chunk : piece));
    return [first, ...all, ...(chunked ? ['0\r\n\r\n'] : [])];
  }

  it('an envelope with a length', async () => {
    const start = begun();
    const length = `Content-Length: ${start.length + Math.ceil(TOO_MUCH / CHUNK) * CHUNK}`;
    const answer = await send([JSON_TYPE, length], filler(start, false));
    assertOwnError(answer, 'a length', 413, 'body_too_large');
    await stage.assertNothingUpstream('an envelope');
  });

  it('a chunked envelope', async () => {
    const answer = await send([JSON_TYPE, 'Transfer-Encoding: chunked'], filler(begun(), true));
    assertOwnError(answer, 'chunks', 413, 'body_too_large');
    await stage.assertNothingUpstream('an envelope');
  });

  it('a drop-in request with a length', async () => {
    const length = `Content-Length: ${Math.ceil(TOO_MUCH / CHUNK) * CHUNK}`;
    const answer = await send([JSON_TYPE, stage.bearer, length], filler('', false).slice(1));
    assertClearError(answer, 'a length', 413);
    await stage.assertNothingUpstream('a length');
  });

  it('a chunked drop-in request: its upstream request is broken off', async () => {
    const answer = await send(
      [JSON_TYPE, stage.bearer, 'Transfer-Encoding: chunked'],
      filler('{"a":"', true),
    );
    assertClearError(answer, 'chunks', 413);
    const [request, ...others] = await stage.newUpstream();
    assert.equal(others.length, 0);
    assert.ok(request === undefined || (!request.ended && request.aborted));
  });

  it('lengths that no machine could hold', async () => {
    for (const length of ['33554433', '9007199254740993', '18446744073709551615']) {
      const answer = await stage.ask(rawRequest(`POST ${PATH}`, [JSON_TYPE, `Content-Length: ${length}`]));
      assertOwnError(answer, length, 413, 'body_too_large');
    }
  });

  it('64 KiB at the license endpoints', async () => {
    for (const path of ['/activate', '/deactivate', '/check']) {
      const body = JSON.stringify({ license_key: 'a'.repeat(65_536), hardware_id: 'b' });
      const headers = [JSON_TYPE, `Content-Length: ${body.length}`];
      assertOwnError(await stage.ask(rawRequest(`POST ${path}`, headers, body)), path, 413, 'body_too_large');
    }
  });

  it('nothing of it was counted', async () => {
    assert.equal(await stage.usedToday(), 0);
    await stage.assertAlive();
  });
});
