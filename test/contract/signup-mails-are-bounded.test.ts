import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { codeIn } from '../support/mail-server.ts';
import { init, startSignUpStage, verify, wrongCode, type SignUpStage } from '../support/sign-up-calls.ts';

const clock = new FakeClock('2026-03-10T12:00:00Z');
let stage: SignUpStage;
before(async () => {
  stage = await startSignUpStage({ clock });
});
after(() => stage.close());

function mailsTo(email: string): number {
  return stage.mail.mails().filter(({ to }) => [to ?? []].flat().some(({ text }) => text === email)).length;
}

/** So many mails have come to an address, and none comes after them. */
async function assertMailsTo(email: string, count: number): Promise<void> {
  await eventually(() => assert.equal(mailsTo(email), count), 10_000);
  const last = `after-${clock.now()}-${email}`;
  await init(stage.gateway, { email: last });
  await stage.mail.mailTo(last);
  assert.equal(mailsTo(email), count);
}

it('an address gets one mail a minute and five an hour, whoever asks, and each who asks gets the same answer', async () => {
  const email = 'flooded@example.com';
  const answers = await Promise.all(Array.from({ length: 20 }, () => init(stage.gateway, { email })));
  const minute = 60_000;
  await assertMailsTo(email, 1);
  clock.advance(minute - 1);
  answers.push(await init(stage.gateway, { email }));
  await assertMailsTo(email, 1);
  for (let more = 0; more < 7; more += 1) {
    clock.advance(minute);
    answers.push(await init(stage.gateway, { email }));
  }
  await assertMailsTo(email, 5);
  clock.advance(60 * minute);
  answers.push(await init(stage.gateway, { email }));
  await assertMailsTo(email, 6);
  assert.equal(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1);
});

it('a request that sends no mail leaves the code of before as it is', async () => {
  const email = 'impatient@example.com';
  await init(stage.gateway, { email });
  const code = codeIn(await stage.mail.mailTo(email));
  await init(stage.gateway, { email });
  assert.equal((await verify(stage.gateway, email, code)).status, 200);
});

it('a client that asks for eleven mails in ten minutes is told to wait, whatever the addresses', async () => {
  const address = '203.0.113.5';
  const ask = (nth: number) => init(stage.gateway, { email: `many-${nth}@example.com` }, address);
  for (let nth = 1; nth <= 10; nth += 1) assert.equal((await ask(nth)).status, 200);
  const refused = await ask(11);
  assert.deepEqual([refused.status, refused.body.code], [429, 'too_many_attempts']);
  assert.ok(Number(refused.headers.get('retry-after')) > 500);
});

it('a client that brings ten wrong codes in ten minutes is told to wait, whatever the addresses', async () => {
  const email = 'guessed@example.com';
  await init(stage.gateway, { email });
  const code = codeIn(await stage.mail.mailTo(email));
  const address = '203.0.113.6';
  for (let nth = 1; nth <= 10; nth += 1) {
    const { status } = await verify(stage.gateway, `victim-${nth}@example.com`, '123456', address);
    assert.equal(status, 401);
  }
  const refused = await verify(stage.gateway, email, wrongCode(code), address);
  assert.deepEqual([refused.status, refused.body.code], [429, 'too_many_attempts']);
  assert.equal((await verify(stage.gateway, email, code)).status, 200, 'another client is not');
});

it('a client that waits for its wrong codes is sent no mail, and is answered before its body is read', async () => {
  const address = '203.0.113.7';
  for (let nth = 1; nth <= 10; nth += 1) {
    const { status } = await verify(stage.gateway, `other-${nth}@example.com`, '123456', address);
    assert.equal(status, 401);
  }
  const email = 'after-guesses@example.com';
  const refused = await init(stage.gateway, { email }, address);
  assert.deepEqual([refused.status, refused.body.code], [429, 'too_many_attempts']);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  await assertMailsTo(email, 0);
  for (const path of ['/init', '/verify', '/activate']) {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': address };
    const answer = await fetch(stage.gateway.url + path, { method: 'POST', headers, body: 'no JSON' });
    assert.equal(answer.status, 429, path);
  }
  assert.equal((await init(stage.gateway, { email })).status, 200, 'from elsewhere');
});
