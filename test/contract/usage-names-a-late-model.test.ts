import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { usageOf } from '../support/usage-rows.ts';

for (const counters of ['redis', 'memory'] as const) {
  it(`a model that comes late in a long body is booked all the same, once (${counters})`, async (t) => {
    const gateway = await startTestGateway({ counters });
    t.after(() => gateway.close());
    const { proxyKey, licenseId } = await gateway.device();
    const headers = { authorization: `Bearer ${proxyKey}` };

    const content = 'x'.repeat(1_000_000);
    const body = { messages: [{ role: 'user', content }], model: 'gpt-4o-mini' };
    const chat = await gateway.request('/proxy/openai/v1/chat/completions', { headers, body });
    assert.equal(chat.status, 200);

    const form = new FormData();
    form.append('file', new Blob([Buffer.alloc(500_000)], { type: 'audio/wav' }), 'speech.wav');
    form.append('model', 'whisper-1');
    const url = `${gateway.url}/proxy/openai/v1/audio/transcriptions`;
    const upload = await fetch(url, { method: 'POST', headers, body: form });
    assert.equal(upload.status, 200);
    await upload.text();

    const models = await gateway.request('/proxy/openai/v1/models', { headers });
    assert.equal(models.status, 200);
    await usageOf(gateway.gateway.knex, { licenseId }, [
      { model: '', requests: 1, refunded: 0 },
      { model: 'gpt-4o-mini', requests: 1, refunded: 0 },
      { model: 'whisper-1', requests: 1, refunded: 0 },
    ]);
  });
}
