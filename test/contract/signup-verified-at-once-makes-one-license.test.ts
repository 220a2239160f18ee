import assert from 'node:assert/strict';
import { it } from 'node:test';
import { licensesOf } from '../support/admin-calls.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { codeIn } from '../support/mail-server.ts';
import { init, startSignUpStage, verify, type SignUpStage } from '../support/sign-up-calls.ts';

async function assertOne({ gateway, mail }: SignUpStage, gateways: TestGateway[]): Promise<void> {
  const email = 'everywhere@example.com';
  await init(gateway, { email });
  const code = codeIn(await mail.mailTo(email));
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => {
      const spelling = index % 3 === 0 ? email.toUpperCase() : email;
      return verify(gateways[index % gateways.length] ?? gateway, spelling, code);
    }),
  );
  const made = answers.filter(({ status }) => status === 200);
  assert.deepEqual([made.length, answers.filter(({ status }) => status === 401).length], [1, 49]);
  assert.equal(licensesOf(await gateway.admin(`/licenses?email=${email}`)).length, 1);
}

it('50 times the right code at once, over two gateways: one license', async (t) => {
  const stage = await startSignUpStage();
  t.after(() => stage.close());
  const other = await startTestGateway({ joins: stage.gateway });
  t.after(() => other.close());
  await assertOne(stage, [stage.gateway, other]);
});

it('50 times the right code at once, on the embedded database: one license', async (t) => {
  const stage = await startSignUpStage({ counters: 'memory', database: 'embedded' });
  t.after(() => stage.close());
  await assertOne(stage, [stage.gateway]);
});
