import assert from 'node:assert/strict';
import { it } from 'node:test';
import { temporaryFolder } from '../support/cli.ts';
import { serve, type Served } from '../support/served.ts';
import { startSimulator } from '../support/simulator/simulator.ts';
import { startReceiver, verify } from '../support/webhook-receiver.ts';

async function post(gateway: Served, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${gateway.url}/admin/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 201);
  return answer.json();
}

it('SIGKILL: what the gateway was delivering is delivered after it, as the same event', async (t) => {
  using folder = temporaryFolder();
  const receiver = await startReceiver();
  t.after(() => receiver.close());
  const simulator = await startSimulator({ record: false });
  t.after(() => simulator.close());
  const env = { WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' };
  const killed = await serve(folder.path, simulator, env);
  t.after(() => killed.end());
  const { secret } = (await post(killed, '/webhooks', { url: receiver.url })) as { secret: string };
  receiver.answer = undefined;
  await killed.device();
  const first = await receiver.next(() => true);
  killed.process.child.kill('SIGKILL');
  assert.equal(await killed.process.ended(), 'SIGKILL');

  receiver.answer = 204;
  const successor = await serve(folder.path, simulator, env);
  t.after(() => successor.end());
  // The attempt counts as lost 15 s after it was begun.
  const second = await receiver.next((one) => one !== first && one.id === first.id, 25_000);
  assert.equal(second.body, first.body);
  verify(secret, second);
  // What was written and not yet begun is there as well.
  await receiver.next(({ payload }) => payload.type === 'license.activated');
});
