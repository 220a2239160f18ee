import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { Mailer } from '../../src/mail/mailer.ts';
import { codeMessage } from '../../src/mail/messages.ts';
import { smtpOptions } from '../../src/mail/smtp-options.ts';
import { codeIn, startMailServer, type MailServer, type MailServerOptions } from '../support/mail-server.ts';

const login = { user: 'gateway', password: 'p@ss/word' };
const message = codeMessage('a@example.com', { code: '123456', tier: 'Free', minutes: 15 });

async function start(t: TestContext, options: MailServerOptions): Promise<MailServer> {
  const mail = await startMailServer(options);
  t.after(() => mail.close());
  return mail;
}

/** Sends one mail, and says what became of it. */
async function outcome(url: string): Promise<'sent' | Error> {
  const told = Promise.withResolvers<'sent' | Error>();
  const report = {
    sent: () => told.resolve('sent'),
    failed: (_kind: string, error: unknown) => told.resolve(error as Error),
  };
  const mailer = new Mailer({ url, from: 'licenses@example.com', report });
  mailer.send(message);
  const result = await told.promise;
  await mailer.close();
  return result;
}

const withLogin = (mail: MailServer, parameters: string, password = login.password): string => {
  const url = new URL(mail.url);
  return `${url.protocol}//${login.user}:${encodeURIComponent(password)}@${url.host}/?${parameters}`;
};

it('smtps:// speaks TLS from the first byte, with user and password of the URL', async (t) => {
  const mail = await start(t, { secure: true, login });
  assert.equal(await outcome(withLogin(mail, 'tls.rejectUnauthorized=false')), 'sent');
  assert.equal(codeIn(await mail.mailTo('a@example.com')), '123456');
  assert.deepEqual(mail.logins(), [{ secure: true }]);
});

it('smtp:// changes to TLS where the server offers it', async (t) => {
  const mail = await start(t, { startTls: true, login });
  assert.equal(await outcome(withLogin(mail, 'tls.rejectUnauthorized=false')), 'sent');
  assert.deepEqual(mail.logins(), [{ secure: true }]);
});

it('a certificate that nobody vouches for ends the connection before the password', async (t) => {
  for (const options of [{ secure: true }, { startTls: true }]) {
    const mail = await start(t, { ...options, login });
    const failure = await outcome(withLogin(mail, ''));
    assert.match(String(failure), /certificate/i);
    assert.deepEqual([mail.logins(), mail.mails()], [[], []]);
  }
});

it('a password is not sent without TLS where TLS is required, which it is beyond this machine', async (t) => {
  const mail = await start(t, { login });
  assert.ok((await outcome(withLogin(mail, 'requireTLS=true'))) instanceof Error);
  assert.deepEqual(mail.logins(), []);
  assert.equal(await outcome(withLogin(mail, '')), 'sent', 'on this machine it may be');

  const required = (url: string): boolean | undefined => smtpOptions(url).requireTLS;
  assert.equal(required('smtp://user:secret@mail.example.com:587'), true);
  assert.equal(required('smtp://user:secret@mail.example.com:587?requireTLS=false'), false);
  assert.equal(required('smtp://mail.example.com:25'), false, 'without a password there is none to lose');
  assert.equal(required('smtp://user:secret@localhost:25'), false);
});

it('a wrong password fails the mail', async (t) => {
  const mail = await start(t, { secure: true, login });
  const failure = await outcome(withLogin(mail, 'tls.rejectUnauthorized=false', 'wrong'));
  assert.match(String(failure), /wrong user or password/);
  assert.ok(!String(failure).includes(login.password));
});
