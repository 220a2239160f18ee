import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { change } from '../support/admin-calls.ts';
import type { JsonAnswer } from '../support/gateway.ts';
import { init, startSignUpStage, verify, type SignUpStage } from '../support/sign-up-calls.ts';

let stage: SignUpStage;
before(async () => {
  stage = await startSignUpStage();
});
after(() => stage.close());

/** All that a client can see, less what differs from answer to answer. */
function seen({ status, text, headers }: JsonAnswer): unknown {
  const rest = [...headers].filter(([name]) => !['date', 'x-licensify-request-id'].includes(name));
  return { status, text, headers: rest };
}

for (const status of ['active', 'suspended', 'revoked'] as const) {
  it(`an address with a license that is ${status} is answered like any other; its owner learns it by mail`, async () => {
    const { gateway, mail } = stage;
    const known = `${status}@example.com`;
    const license = await gateway.createLicense({
      tier: 'free',
      email: `${status.toUpperCase()}@example.com`,
    });
    if (status !== 'active') await change(gateway, license.id, status === 'revoked' ? 'revoke' : 'suspend');
    const answers = [
      await init(gateway, { email: known }),
      await init(gateway, { email: `not-${known}` }),
      await init(gateway, { email: known }),
    ];
    assert.deepEqual(new Set(answers.map((answer) => JSON.stringify(seen(answer)))).size, 1);
    const told = await mail.mailTo(known);
    assert.equal(told.subject, 'You have a license already');
    const { text = '' } = told;
    assert.ok(text.includes(license.licenseKey.slice(0, 9)) && !text.includes(license.licenseKey));
    assert.doesNotMatch(text, /\d{6}/);

    const tries = [
      await verify(gateway, known, '123456'),
      await verify(gateway, 'nobody-asked@example.com', '123456'),
    ];
    assert.equal(new Set(tries.map((answer) => JSON.stringify(seen(answer)))).size, 1);
    assert.equal(tries[0]?.status, 401);
  });
}

it('a license of another tier does not stand in the way', async () => {
  const { gateway, mail } = stage;
  await gateway.createLicense({ tier: 'pro', email: 'pro@example.com' });
  await init(gateway, { email: 'pro@example.com' });
  assert.equal((await mail.mailTo('pro@example.com')).subject, 'Your verification code');
});
