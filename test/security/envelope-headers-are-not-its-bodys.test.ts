import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { rawPost } from '../support/raw-http.ts';
import { CHAT, JSON_TYPE, RawStage } from '../support/raw-stage.ts';

let stage: RawStage;
before(async () => {
  stage = await RawStage.start();
});
after(() => stage.close());

// RFC 9110 §8: they describe the content of the message that they are in, which is the envelope.
it('what is said of the content of an envelope is not said of the request that it carries', async () => {
  const said = ['Content-Encoding: gzip', 'Content-Language: de', 'Content-Location: /a', 'Content-MD5: x'];
  const text = `{"proxy_key":"${stage.device.proxyKey}","provider":"openai","body":${CHAT}}`;
  const answer = await stage.ask(rawPost('/proxy/openai/v1/chat/completions', [JSON_TYPE, ...said], text));
  assert.equal(answer.status, 200);
  const [request] = await stage.newUpstream();
  const ofContent = Object.entries(request?.headers ?? {}).filter(([name]) => name.startsWith('content-'));
  assert.deepEqual(Object.fromEntries(ofContent), {
    'content-type': 'application/json',
    'content-length': String(CHAT.length),
  });
});
