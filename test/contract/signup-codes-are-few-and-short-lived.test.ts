import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { codeIn } from '../support/mail-server.ts';
import { init, startSignUpStage, verify, wrongCode, type SignUpStage } from '../support/sign-up-calls.ts';

const clock = new FakeClock('2026-03-10T12:00:00Z');
let stage: SignUpStage;
let other: TestGateway;
before(async () => {
  stage = await startSignUpStage({ clock });
  other = await startTestGateway({ joins: stage.gateway, clock });
});
after(async () => {
  await other.close();
  await stage.close();
});

async function codeFor(email: string, nth = 1): Promise<string> {
  await init(stage.gateway, { email });
  return codeIn(await stage.mail.mailTo(email, nth));
}

it('of 100 wrong codes at once, over two gateways and from 100 addresses, five are tried: then the right one is void', async () => {
  const email = 'crowd@example.com';
  const code = await codeFor(email);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      verify(index % 2 === 0 ? stage.gateway : other, email, wrongCode(code, index + 1)),
    ),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([401]));
  const row = await stage.gateway.gateway
    .knex('verifications')
    .where({ email })
    .first<{ tries_left: number }>('tries_left');
  assert.equal(row.tries_left, 0, 'and it did not go below');
  assert.equal((await verify(stage.gateway, email, code)).status, 401);
});

it('after four wrong tries the right one still counts', async () => {
  const email = 'clumsy@example.com';
  const code = await codeFor(email);
  for (const odd of [wrongCode(code), wrongCode(code, 2), '', 'ABCDEF']) {
    assert.equal((await verify(stage.gateway, email, odd)).status, 401);
  }
  assert.equal((await verify(stage.gateway, email, code)).status, 200);
});

it('a code is good for 15 minutes', async () => {
  const [slow, slower] = ['slow@example.com', 'slower@example.com'];
  const [one, two] = [await codeFor(slow), await codeFor(slower)];
  clock.advance(15 * 60_000 - 1);
  assert.equal((await verify(stage.gateway, slow, one)).status, 200);
  clock.advance(1);
  assert.equal((await verify(stage.gateway, slower, two)).status, 401);
});

it('a new code voids the one before', async () => {
  const email = 'twice@example.com';
  const before = await codeFor(email);
  clock.advance(60_000);
  const after = await codeFor(email, 2);
  assert.equal((await verify(stage.gateway, email, before === after ? '' : before)).status, 401);
  assert.equal((await verify(other, email, after)).status, 200, 'on whichever gateway');
});

it("one address's code is nobody else's", async () => {
  const code = await codeFor('mine@example.com');
  await codeFor('yours@example.com');
  const { status } = await verify(stage.gateway, 'yours@example.com', code);
  assert.ok(status === 401 || code === codeIn(await stage.mail.mailTo('yours@example.com')));
});

it('the database holds no code, only a keyed hash of it', async () => {
  const email = 'stored@example.com';
  const code = await codeFor(email);
  const result: unknown = await stage.gateway.gateway.knex.raw(
    'SELECT t::text AS row FROM verifications t WHERE email = ?',
    [email],
  );
  const [{ row }] = (result as { rows: [{ row: string }] }).rows;
  assert.match(row, /\\\\x[0-9a-f]{64}/);
  assert.ok(!row.includes(code));
});
