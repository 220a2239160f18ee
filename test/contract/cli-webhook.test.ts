import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { asAdministratorOf } from '../support/cli.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import { deliveriesOf, receiverSettings, startReceiver, type Receiver } from '../support/webhook-receiver.ts';

let gateway: TestGateway;
let receiver: Receiver;
let run: ReturnType<typeof asAdministratorOf>;
let id: string;
before(async () => {
  receiver = await startReceiver();
  gateway = await startTestGateway({ env: receiverSettings });
  run = asAdministratorOf(gateway);
});
after(async () => {
  await receiver.close();
  await gateway.close();
});

/** Without the secret, which a failure would print. */
function secretIn(text: string): string {
  const [secret = ''] = /whsec_\S+/.exec(text) ?? [];
  rememberSecret(secret);
  return secret;
}

describe('licensify webhook', () => {
  it('create prints the secret once, and what to do next', async () => {
    const { code, out, err } = await run(['webhook', 'create', receiver.url, '--event', 'license.created']);
    assert.equal(code, 0, err);
    assert.match(secretIn(out), /^whsec_[A-Za-z0-9+/]{43}=$/);
    [id = ''] = /whe_\w+/.exec(out) ?? [];
    assert.match(err, new RegExp(`licensify webhook test ${id}`));
    const list = await run(['webhook', 'list']);
    assert.match(list.out, new RegExp(`${id}\t${receiver.url}\tlicense\\.created\tenabled`));
    assert.doesNotMatch(list.out, /whsec_/);
  });

  it('test sends an event at once and says what was answered, in its exit code too', async () => {
    const sent = await run(['webhook', 'test', id]);
    assert.deepEqual([sent.code, sent.out], [0, 'Delivered: webhook.test was answered with 204.\n']);
    receiver.answer = 500;
    const failed = await run(['webhook', 'test', id]);
    assert.equal(failed.code, 1);
    assert.match(
      failed.err,
      /^Not delivered: Answered with status 500\. It is tried again at 2\S+Z\. \(whd_\w+\)\n$/,
    );
  });

  it('deliveries shows them, and resend sends one again', async () => {
    const list = await run(['webhook', 'deliveries', '--status', 'pending', '--webhook', id]);
    const [delivery = ''] = /whd_\w+/.exec(list.out) ?? [];
    assert.match(list.out, /webhook\.test\t\S+\tpending\t1\tAnswered with status 500\t/);
    receiver.answer = 204;
    const again = await run(['webhook', 'resend', delivery]);
    assert.deepEqual([again.code, again.err], [0, '']);
    assert.deepEqual(
      (await deliveriesOf(gateway)).map(({ status }) => status),
      ['delivered', 'delivered'],
    );
  });

  it('update changes what is named, rotate-secret makes a new secret, remove asks first', async () => {
    const updated = await run([
      'webhook',
      'update',
      id,
      '--event',
      '*',
      '--description',
      'all of it',
      '--json',
    ]);
    const { webhook } = JSON.parse(updated.out) as { webhook: Record<string, unknown> };
    assert.deepEqual([webhook.events, webhook.description, webhook.url], [['*'], 'all of it', receiver.url]);
    const rotated = await run(['webhook', 'rotate-secret', id]);
    assert.match(secretIn(rotated.out), /^whsec_/);
    assert.match(rotated.err, /The one before signs too until 2/);
    assert.equal((await run(['webhook', 'update', id, '--disable'])).code, 0);
    assert.match((await run(['webhook', 'test', id])).err, /The webhook is disabled/);
    assert.equal((await run(['webhook', 'remove', id])).code, 2);
    assert.equal((await run(['webhook', 'remove', id, '--yes'])).code, 0);
    assert.match((await run(['webhook', 'list'])).err, /There are no webhooks/);
  });

  it('says what is wrong with a URL', async () => {
    const refused = await run(['webhook', 'create', 'https://169.254.169.254/latest']);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /url: is the address 169\.254\.169\.254, which is not public/);
    assert.equal((await run(['webhook', 'test', 'lic_1'])).code, 2);
  });
});
