import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { toFile } from 'openai';
import { assertUsage } from '../support/recorded-usage.ts';
import { assertOnlyRealKeysIn, STAGE_DAY, startSdkStage, type SdkStage } from '../support/sdk-stage.ts';

/** Every byte value, over many chunks, and nothing that could be taken for a key. */
const audio = Buffer.alloc(700_001, Buffer.from(Array.from({ length: 251 }, (_, index) => index)));
const sha256 = createHash('sha256').update(audio).digest('hex');

describe('audio uploads through the official OpenAI SDK', () => {
  let stage: SdkStage;
  let folder: string;
  before(async () => {
    stage = await startSdkStage();
    folder = mkdtempSync(join(tmpdir(), 'licensify-audio-'));
    writeFileSync(join(folder, 'speech.mp3'), audio);
  });
  after(async () => {
    await stage.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('a file from memory arrives whole', async () => {
    const file = await toFile(audio, 'memory.mp3', { type: 'audio/mpeg' });
    const { text } = await stage.openai.audio.transcriptions.create({ file, model: 'whisper-1' });
    assert.equal(text, `Received memory.mp3 (audio/mpeg, 700001 bytes, sha256 ${sha256}).`);
    const received = stage.gateway.simulator.requests.at(-1);
    assert.match(received?.headers['content-type'] ?? '', /^multipart\/form-data; boundary=/);
    assert.equal(Number(received?.headers['content-length']), received?.body.length);
  });

  it('a file streamed from the disk arrives whole, in a chunked upload with the model behind it', async () => {
    const { text } = await stage.openai.audio.transcriptions.create({
      file: createReadStream(join(folder, 'speech.mp3')),
      model: 'gpt-4o-transcribe',
    });
    assert.equal(text, `Received speech.mp3 (application/octet-stream, 700001 bytes, sha256 ${sha256}).`);
    const received = stage.gateway.simulator.requests.at(-1);
    assert.equal(received?.headers['transfer-encoding'], 'chunked');
    assert.equal(received.headers['content-length'], undefined);
    const body = received.body.toString('latin1');
    assert.ok(body.indexOf('name="model"') > body.indexOf('name="file"') + audio.length);
  });

  it('a translation is served too', async () => {
    const file = await toFile(audio.subarray(0, 10), 'short.mp3', { type: 'audio/mpeg' });
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- it is open to proxy keys all the same
    const { text } = await stage.openai.audio.translations.create({ file, model: 'whisper-1' });
    assert.match(text, /^Received short\.mp3 \(audio\/mpeg, 10 bytes/);
  });

  it('speech comes back byte for byte', async () => {
    const speak = { model: 'tts-1', voice: 'alloy', input: 'Hello' };
    const [atGateway, direct] = await Promise.all(
      [stage.openai, stage.openaiDirect].map(async (client) =>
        Buffer.from(await (await client.audio.speech.create(speak)).arrayBuffer()),
      ),
    );
    assert.ok(atGateway !== undefined && atGateway.length >= 4_096);
    assert.ok(direct?.equals(atGateway));
  });

  it('the provider saw its real key alone, and each upload was booked on its own model', async () => {
    assertOnlyRealKeysIn(stage.gateway.simulator.requests);
    const row = { day: STAGE_DAY, provider: 'openai', refunded: 0 };
    await assertUsage(stage.gateway, stage.device.licenseId, [
      { ...row, model: 'gpt-4o-transcribe', requests: 1 },
      { ...row, model: 'tts-1', requests: 1 },
      { ...row, model: 'whisper-1', requests: 2 },
    ]);
  });
});
