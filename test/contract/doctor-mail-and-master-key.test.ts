import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, it } from 'node:test';
import { SecretBox } from '../../src/stores/secret-box.ts';
import { openPostgres } from '../../src/stores/postgres.ts';
import { examined, foundOf } from '../support/doctor/findings.ts';
import { startMailServer, type MailServer } from '../support/mail-server.ts';
import { createTestDatabase } from '../support/servers/databases.ts';

let mail: MailServer;
before(async () => {
  mail = await startMailServer({ login: { user: 'licensify', password: 'the-right-password' } });
});
after(() => mail.close());

const mailAs = (password: string) => ({
  SMTP_URL: `smtp://licensify:${password}@127.0.0.1:${mail.port}`,
  MAIL_FROM: 'licenses@example.com',
});

it('signs in at the mail server and sends nothing; a wrong password fails, and is not told', async () => {
  assert.match(
    foundOf(await examined(mailAs('the-right-password')), 'mail').join(),
    /^ok: 127\.0\.0\.1:\d+ takes mails/,
  );
  const wrong = await examined(mailAs('hush-hush-hush'));
  assert.equal(wrong.code, 1);
  assert.match(
    foundOf(wrong, 'mail').join(),
    /^fail: 127\.0\.0\.1:\d+ does not take mails from us: .+ -> correct SMTP_URL/,
  );
  assert.doesNotMatch(wrong.output, /hush|the-right-password/);
  assert.deepEqual(mail.mails(), []);
});

it('stored secrets need the master key that they were encrypted under', async () => {
  const { url } = await createTestDatabase();
  const database = openPostgres(url);
  const [right, other] = [randomBytes(32), randomBytes(32)];
  try {
    await database.migrate();
    const sealed = new SecretBox([right]).seal('sk-made-up-and-stored', 'provider:openai');
    await database
      .knex('provider_keys')
      .insert({ provider: 'openai', sealed, fingerprint: 'x', set_at: new Date() });
  } finally {
    await database.close();
  }
  const without = await examined({ DATABASE_URL: url });
  assert.match(
    foundOf(without, 'master key').join(),
    /^fail: is not set, and provider_keys holds .+ -> set MASTER_KEY/,
  );
  const wrong = await examined({ DATABASE_URL: url, MASTER_KEY: other.toString('hex') });
  assert.equal(wrong.code, 1);
  assert.match(
    foundOf(wrong, 'master key').join(),
    /^fail: provider:openai is encrypted under the master key [0-9a-f]{8}/,
  );
  const both = `${other.toString('hex')},${right.toString('base64')}`;
  const fits = await examined({ DATABASE_URL: url, MASTER_KEY: both });
  assert.deepEqual(foundOf(fits, 'master key'), ['ok: is set, and reads all 1 secrets that are stored']);
  assert.ok(!fits.output.includes('sk-made-up-and-stored'));
});
