import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { licensesOf } from '../support/admin-calls.ts';
import { codeIn, licenseKeyIn } from '../support/mail-server.ts';
import { init, startSignUpStage, verify, type SignUpStage } from '../support/sign-up-calls.ts';

let stage: SignUpStage;
before(async () => {
  stage = await startSignUpStage();
});
after(() => stage.close());

it('a code by mail makes a license, which is answered once, mailed, and works', async () => {
  const { gateway, mail } = stage;
  const email = 'Ada.Lovelace@example.com';
  const asked = await init(gateway, { email });
  assert.equal(asked.status, 200);
  assert.deepEqual(
    { ...asked.body, message: '' },
    {
      success: true,
      message: '',
      tier: 'free',
      verification_required: true,
      expires_in: 900,
      resend_after: 60,
    },
  );
  const first = await mail.mailTo(email);
  assert.equal(first.from?.text, '"Example" <licenses@example.com>');
  assert.equal(first.subject, 'Your verification code');
  assert.equal(first.headers.get('auto-submitted'), 'auto-generated');
  const code = codeIn(first);
  assert.ok(String(first.html).includes(`<code>${code}</code>`), 'the HTML body holds the code too');

  const made = await verify(gateway, email, ` ${code} `);
  assert.equal(made.status, 200);
  const { license_key: key, ...rest } = made.body as unknown as { license_key: string };
  assert.deepEqual(rest, {
    success: true,
    tier: 'free',
    expires_at: null,
    daily_limit: 10,
    monthly_limit: 100,
  });
  const second = await mail.mailTo(email, 2);
  assert.equal(licenseKeyIn(second), key);
  assert.ok(String(second.html).includes(key));
  assert.match(second.text ?? '', /Requests: 10 a day, 100 a month\.\s+It does not expire\./);

  await gateway.activate(key, 'ada-laptop');
  const [license] = licensesOf(await gateway.admin(`/licenses?email=${email}`));
  assert.deepEqual([license?.tier, license?.status, license?.email], ['free', 'active', email]);

  const again = await verify(gateway, email, code);
  assert.deepEqual([again.status, again.body.code], [401, 'invalid_code']);
});

it('what is no address is refused, and can put nothing into a mail', async () => {
  const { gateway, mail } = stage;
  const sent = mail.attempts();
  const odd = [
    'nobody',
    'a@example.com\r\nBcc: victim@example.com',
    'a@example.com, victim@example.com',
    'Victim <victim@example.com>',
    '"a\\r\\nBcc: x"@example.com',
    `${'a'.repeat(250)}@example.com`,
    7,
    undefined,
  ];
  for (const email of odd) {
    const answer = await init(gateway, { email });
    assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request'], String(email));
    assert.match(answer.text, /email: /);
  }
  assert.equal((await verify(gateway, 'nobody', '123456')).status, 400);
  await init(gateway, { email: 'last@example.com' });
  await mail.mailTo('last@example.com');
  assert.equal(mail.attempts(), sent + 1);
});

it('neither endpoint takes another method', async () => {
  for (const path of ['/init', '/verify']) {
    const answer = await stage.gateway.request(path);
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST']);
  }
});
