import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { temporaryFolder } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import { PATIENCE } from '../support/raw-http.ts';
import { fetchChat } from '../support/streams.ts';

const KEY = 'sk-key-that-came-later-0123456789';

it('a key file that says not-set-yet is no key: 503, nothing sent or counted, until the key is there', async () => {
  rememberSecret(KEY);
  using folder = temporaryFolder();
  const file = join(folder.path, 'key');
  writeFileSync(file, 'not-set-yet\n');
  const gateway = await startTestGateway({
    counters: 'memory',
    env: { OPENAI_API_KEY: undefined, OPENAI_API_KEY_FILE: file },
  });
  try {
    const device = await gateway.device();
    gateway.simulator.setKeys('openai', [KEY]);
    const refused = await fetchChat(gateway, device);
    const { error } = (await refused.json()) as { error: { code: string } };
    assert.deepEqual([refused.status, error.code], [503, 'provider_not_configured']);
    assert.equal(refused.headers.get('x-ratelimit-remaining'), refused.headers.get('x-ratelimit-limit'));
    assert.equal(gateway.simulator.requests.length, 0);
    writeFileSync(file, `${KEY}\n`);
    await eventually(async () => assert.equal((await fetchChat(gateway, device)).status, 200), PATIENCE);
  } finally {
    await gateway.close();
  }
});
