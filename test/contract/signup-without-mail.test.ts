import assert from 'node:assert/strict';
import { it } from 'node:test';
import { explainProblems, loadConfig } from '../../src/config.ts';
import { startTestGateway } from '../support/gateway.ts';
import { init, verify } from '../support/sign-up-calls.ts';

it('without SMTP_URL sign-up is 503, and says what is missing', async (t) => {
  const gateway = await startTestGateway({ env: { TRUST_PROXY: '1' } });
  t.after(() => gateway.close());
  const answer = await init(gateway, { email: 'a@example.com' });
  assert.deepEqual([answer.status, answer.body.code], [503, 'mail_not_configured']);
  assert.ok(Number(answer.headers.get('retry-after')) > 0);
  assert.equal((await verify(gateway, 'a@example.com', '123456')).status, 401);
});

it('REQUIRE_EMAIL_VERIFICATION=false accepts any code, needs no mail, and is warned of', async (t) => {
  const env = { REQUIRE_EMAIL_VERIFICATION: 'false', TRUST_PROXY: '1' };
  const gateway = await startTestGateway({ env });
  t.after(() => gateway.close());
  assert.ok(
    gateway
      .logLines()
      .some(({ level, msg }) => level === 'warn' && String(msg).includes('anybody can sign up')),
  );
  const asked = await init(gateway, { email: 'dev@example.com' });
  assert.deepEqual([asked.status, asked.body.verification_required], [200, false]);
  const made = await verify(gateway, 'dev@example.com', '000000');
  assert.deepEqual([made.status, made.body.tier, made.body.daily_limit], [200, 'free', 10]);
  await gateway.activate(made.body.license_key as unknown as string, 'dev-laptop');
});

const mail = { SMTP_URL: 'smtp://user:the-password@mail.example.com:587', MAIL_FROM: 'a@example.com' };

function problemsOf(env: Record<string, string>): string {
  const loaded = loadConfig(env);
  return loaded.ok ? '' : explainProblems(loaded.problems);
}

it('the settings of mail are checked at the start', () => {
  assert.equal(problemsOf(mail), '');
  assert.equal(problemsOf({ ...mail, MAIL_FROM: 'Example Team <a@example.com>' }), '');
  const { SMTP_URL, MAIL_FROM } = mail;
  assert.match(problemsOf({ SMTP_URL }), /MAIL_FROM is not set/);
  assert.match(problemsOf({ MAIL_FROM }), /SMTP_URL is not set/);
  const bad = problemsOf({ SMTP_URL: 'https://user:the-password@mail.example.com', MAIL_FROM: 'nobody' });
  assert.match(bad, /SMTP_URL holds "https:\/\/user:\*\*\*\*@mail\.example\.com\/?"; it takes a URL such as/);
  assert.match(bad, /MAIL_FROM holds "nobody"/);
  assert.ok(!bad.includes('the-password'));
  for (const from of [
    'a@example.com\nBcc: b@example.com',
    'A <a@example.com>, b@example.com',
    '<b> <a@b.example>',
  ]) {
    assert.match(problemsOf({ SMTP_URL, MAIL_FROM: from }), /MAIL_FROM holds/, from);
  }
});

it('in production a start without verification is refused', () => {
  const env = { NODE_ENV: 'production', REQUIRE_EMAIL_VERIFICATION: 'false' };
  assert.match(
    problemsOf(env),
    /REQUIRE_EMAIL_VERIFICATION holds "false"; it takes true where NODE_ENV is production/,
  );
  assert.equal(problemsOf({ ...env, NODE_ENV: 'development' }), '');
});
