import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createLogger } from '../../src/observe/log.ts';

/** What stands in a text, with what of it must not be written. */
const texts: Record<string, [text: string, secret: string]> = {
  'a proxy key': [`key px_${'a1'.repeat(20)} was refused`, `px_${'a1'.repeat(20)}`],
  'a license key': ['no LIC-AAAAA-BBBBB-CCCCC-DDDDD-EEEEE here', 'AAAAA-BBBBB'],
  'a provider key': ['sk-proj-abcdefghijklmnop is wrong', 'abcdefghijklmnop'],
  "an administrator's token": [`Bearer lat_${'Zz9'.repeat(13)}x`, 'Zz9Zz9'],
  "a webhook's secret": ['signed with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'GKYqrTwjUPD8'],
  "a mail server's password": ['connect smtp://user:hunter2pass@mail.example.com:587 failed', 'hunter2pass'],
  "a database's password": ['postgres://app:s3cr3t-s3cr3t@db:5432/x is away', 's3cr3t-s3cr3t'],
};

function written(log: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  log(createLogger('debug', { write: (line: string) => void lines.push(line) }));
  assert.equal(lines.length, 1);
  return lines.join('');
}

for (const [what, [text, secret]] of Object.entries(texts)) {
  it(`${what} in an error's text, its stack or its cause is not written, and the rest is`, () => {
    const err = new Error(text, { cause: new Error(text) });
    const line = written((log) => log.error({ err }, 'request failed'));
    assert.ok(!line.includes(secret), line);
    assert.ok(line.includes('[redacted]') && line.includes('request failed'));
  });
}

it('fields that hold a secret by their name are not written, however deep', () => {
  for (const name of [
    'authorization',
    'token',
    'password',
    'pass',
    'secret',
    'masterKey',
    'apiKey',
    'proxyKey',
  ]) {
    const line = written((log) => log.info({ settings: { smtp: { [name]: 'hunter2' } } }, 'x'));
    assert.ok(!line.includes('hunter2'), name);
  }
});
