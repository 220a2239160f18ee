import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { codeIn, startMailServer, type MailServer, type MailServerOptions } from '../support/mail-server.ts';
import { init, verify } from '../support/sign-up-calls.ts';

async function start(
  t: TestContext,
  options: MailServerOptions,
): Promise<{ gateway: TestGateway; mail: MailServer }> {
  const mail = await startMailServer(options);
  t.after(() => mail.close());
  const env = { SMTP_URL: mail.url, MAIL_FROM: 'licenses@example.com', TRUST_PROXY: '1' };
  const gateway = await startTestGateway({ env });
  t.after(() => gateway.close());
  return { gateway, mail };
}

async function counted(gateway: TestGateway, kind: string, outcome: string): Promise<number> {
  const pattern = new RegExp(`licensify_mails_total\\{kind="${kind}",outcome="${outcome}"\\} (\\d+)`);
  return Number(pattern.exec(await gateway.metrics())?.[1] ?? 0);
}

it('a mail that a server cannot take now is sent again, and the client does not wait for it', async (t) => {
  const { gateway, mail } = await start(t, {
    refuse: (attempt) => (attempt === 1 ? { code: 451, text: 'try again later' } : undefined),
  });
  assert.equal((await init(gateway, { email: 'patient@example.com' })).status, 200);
  const code = codeIn(await mail.mailTo('patient@example.com'));
  assert.equal(mail.attempts(), 2);
  await eventually(async () => assert.equal(await counted(gateway, 'code', 'sent'), 1), 1_000);
  assert.equal(await counted(gateway, 'code', 'retried'), 1);
  assert.equal((await verify(gateway, 'patient@example.com', code)).status, 200);
});

it('a mail that is refused for good is counted and logged, without the address, and not tried again', async (t) => {
  const { gateway, mail } = await start(t, {
    refuse: () => ({ code: 550, text: 'no such user <gone@example.com>' }),
  });
  assert.equal((await init(gateway, { email: 'gone@example.com' })).status, 200);
  await eventually(async () => assert.equal(await counted(gateway, 'code', 'failed'), 1), 5_000);
  assert.equal(mail.attempts(), 1);
  const line = gateway.logLines().find(({ msg }) => String(msg).startsWith('a mail could not be sent'));
  assert.match(String(line?.reason), /550 no such user <\[address\]>/);
  assert.ok(!JSON.stringify(gateway.logLines()).includes('gone@example.com'));
});

it('a license is made even if its mail cannot be sent', async (t) => {
  const { gateway, mail } = await start(t, {
    refuse: (attempt) => (attempt > 1 ? { code: 554, text: 'no' } : undefined),
  });
  await init(gateway, { email: 'a@example.com' });
  const made = await verify(gateway, 'a@example.com', codeIn(await mail.mailTo('a@example.com')));
  assert.equal(made.status, 200);
  await gateway.activate(made.body.license_key as unknown as string, 'laptop');
  await eventually(async () => assert.equal(await counted(gateway, 'license', 'failed'), 1), 5_000);
});

it('a gateway that stops hands over the mails under way first', async (t) => {
  const { gateway, mail } = await start(t, {});
  await Promise.all(
    Array.from({ length: 10 }, (_, index) => init(gateway, { email: `last-${index}@example.com` })),
  );
  await gateway.close();
  assert.equal(mail.mails().length, 10);
});

it('a gateway whose mail server is silent stops all the same', async (t) => {
  const { createServer } = await import('node:net');
  const silent = createServer().listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await eventually(() => assert.ok(silent.listening), 1_000);
  const { port } = silent.address() as { port: number };
  const env = { SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'licenses@example.com', TRUST_PROXY: '1' };
  const gateway = await startTestGateway({ env });
  assert.equal((await init(gateway, { email: 'a@example.com' })).status, 200);
  const asked = performance.now();
  await gateway.close();
  assert.ok(performance.now() - asked < 9_000);
  assert.ok(gateway.logLines().some(({ msg }) => String(msg).includes('is not tried again')));
});
