import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { parseTiers } from '../../src/licensing/tiers-file.ts';
import { codeIn } from '../support/mail-server.ts';
import { init, startSignUpStage, verify, type SignUpStage } from '../support/sign-up-calls.ts';

const tier = (id: string, ...lines: string[]): string =>
  `[tiers.${id}]\nname = "${id} <b>"\ndaily_limit = 5\nmonthly_limit = -1\nmax_devices = 1\n${lines.join('\n')}\n`;
const open = 'self_service = true';
const tiers =
  tier('paid') +
  tier('old', open, 'deprecated = true') +
  tier('secret', open, 'hidden = true') +
  tier('first', open) +
  tier('second', open) +
  tier('instant', open, 'email_verification_required = false');

let stage: SignUpStage;
before(async () => {
  stage = await startSignUpStage({ tiers });
});
after(() => stage.close());

it('without a name it is the first tier that is open to all; one that is hidden has to be named', async () => {
  const { gateway } = stage;
  assert.equal((await init(gateway, { email: 'a@example.com' })).body.tier, 'first');
  assert.equal((await init(gateway, { email: 'b@example.com', tier: null })).body.tier, 'first');
  assert.equal((await init(gateway, { email: 'c@example.com', tier: 'second' })).body.tier, 'second');
  assert.equal((await init(gateway, { email: 'd@example.com', tier: 'secret' })).body.tier, 'secret');
});

it('a tier that allows no self-service, is deprecated or is none is refused alike', async () => {
  for (const name of ['paid', 'old', 'nonsense']) {
    const answer = await init(stage.gateway, { email: 'a@example.com', tier: name });
    assert.equal(answer.status, 403);
    assert.deepEqual(answer.body, {
      error: `There is no sign-up for the tier "${name}"`,
      code: 'sign_up_not_offered',
    });
  }
});

it('the license is of the tier that was asked for, and mails show its name as it is', async () => {
  const { gateway, mail } = stage;
  await init(gateway, { email: 'second@example.com', tier: 'second' });
  const asked = await mail.mailTo('second@example.com');
  assert.ok(asked.text?.includes('for a second <b> license'));
  assert.ok(String(asked.html).includes('second &lt;b&gt; license'));
  const made = await verify(gateway, 'second@example.com', codeIn(asked));
  assert.deepEqual([made.body.tier, made.body.monthly_limit], ['second', -1]);
});

it('a tier that needs no verification wants no code, and makes one license an address', async () => {
  const { gateway, mail } = stage;
  const email = 'hasty@example.com';
  assert.equal(
    (await verify(gateway, email, '')).status,
    401,
    'without POST /init there is nothing to verify',
  );
  const asked = await init(gateway, { email, tier: 'instant' });
  assert.equal(asked.body.verification_required, false);
  const made = await verify(gateway, email, '');
  assert.deepEqual([made.status, made.body.tier], [200, 'instant']);
  assert.equal((await mail.mailTo(email)).subject, 'Your license key');
  await init(gateway, { email, tier: 'instant' });
  const again = await verify(gateway, email, '');
  assert.deepEqual([again.status, again.body.code], [409, 'license_exists']);
});

it('asking for a tier without verification opens none that needs it', async () => {
  const { gateway, mail } = stage;
  const email = 'clever@example.com';
  await init(gateway, { email, tier: 'instant' });
  await init(gateway, { email, tier: 'first' });
  await mail.mailTo(email);
  assert.equal((await verify(gateway, email, '')).status, 401);
});

it('a tier that is closed, or wants a code, before the license is made, counts as it is then', async () => {
  const { gateway, mail } = stage;
  const [email, hasty] = ['late@example.com', 'too-late@example.com'];
  await init(gateway, { email, tier: 'first' });
  await init(gateway, { email: hasty, tier: 'instant' });
  const code = codeIn(await mail.mailTo(email));
  const closed = tiers
    .replace(`[tiers.first]`, `[tiers.first]\ndeprecated = true`)
    .replace('email_verification_required = false', 'email_verification_required = true');
  const read = parseTiers(closed, 'tiers.toml');
  assert.ok(read.ok && (await gateway.gateway.tiers.replace(read.tiers)));
  assert.equal((await verify(gateway, email, code)).body.code, 'sign_up_not_offered');
  assert.equal((await verify(gateway, hasty, '')).body.code, 'invalid_code');
});
