import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { after, before, it } from 'node:test';
import { rawPost } from '../support/raw-http.ts';
import { JSON_TYPE, RawStage } from '../support/raw-stage.ts';
import { rawAnswer } from '../support/raw-upstream.ts';

const TIMEOUT = 500;
/** More than what the kernel takes at once by far. Bytes. */
const BODY = 24 * 1_048_576;
/** So the upload takes several times the time-out. Milliseconds between two pieces of 64 KB. */
const PAUSE = 5;

/** A provider that reads slowly, and answers when it has everything. */
const provider = createServer((socket) => {
  let length = 0;
  socket.on('data', (bytes: Buffer) => {
    length += bytes.length;
    socket.pause();
    setTimeout(() => socket.resume(), PAUSE);
    if (length > BODY) socket.write(rawAnswer('200 OK', '{}'));
  });
  socket.on('error', () => undefined);
});
let stage: RawStage;
before(async () => {
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  stage = await RawStage.start({
    counters: 'memory',
    env: { OPENAI_BASE_URL: url, UPSTREAM_TIMEOUT_MS: String(TIMEOUT) },
  });
});
after(async () => {
  await stage.close();
  provider.close();
});

it('a provider that takes a long body slowly is not silent', async () => {
  const body = `{"model":"gpt-4o","user":"${'a'.repeat(BODY)}"}`;
  const envelope = `{"proxy_key":"${stage.device.proxyKey}","provider":"openai","body":${body}}`;
  const began = performance.now();
  const answer = await stage.ask(rawPost('/proxy/openai/v1/chat/completions', [JSON_TYPE], envelope));
  assert.equal(answer.status, 200);
  assert.ok(performance.now() - began > 2 * TIMEOUT, 'it was not slow enough to tell');
});
