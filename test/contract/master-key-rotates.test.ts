import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { keyOf, newMasterKey, newOpenAiKey, openaiOf, setKey } from '../support/provider-admin.ts';
import { chatStatus } from '../support/proxy-call.ts';

interface Rotated {
  master_key: string;
  secrets: number;
  resealed: number;
}

async function started(t: TestContext, masterKeys: string[], joins?: TestGateway): Promise<TestGateway> {
  const env = { MASTER_KEY: masterKeys.length === 0 ? undefined : masterKeys.join(',') };
  const gateway = await startTestGateway({ env, ...(joins !== undefined && { joins }) });
  t.after(() => gateway.close());
  return gateway;
}

async function rotate(gateway: TestGateway): Promise<Rotated> {
  const answer = await gateway.admin('/master-key/rotate', { method: 'POST' });
  assert.equal(answer.status, 200, answer.text);
  return answer.body as unknown as Rotated;
}

it('the master key is replaced without a key being set anew: both listed, rotated, the old one taken away', async (t) => {
  const [old, next] = [newMasterKey(), newMasterKey()];
  const key = newOpenAiKey();
  const before = await started(t, [old]);
  before.simulator.setKeys('openai', [key]);
  const { proxyKey } = await before.device();
  await setKey(before, key);
  await setKey(before, newOpenAiKey(), 'anthropic');

  const both = await started(t, [next, old], before);
  assert.equal(await chatStatus(both, proxyKey), 200);
  await assert.rejects(started(t, [next], before), /provider:\w+ is encrypted under the master key/);
  const done = await rotate(both);
  assert.deepEqual([done.secrets, done.resealed], [2, 2]);
  assert.deepEqual(await rotate(both), { ...done, resealed: 0 }, 'a second time there is nothing to do');

  const after = await started(t, [next], before);
  assert.equal(await chatStatus(after, proxyKey), 200);
  assert.equal(keyOf(after.simulator.requests.at(-1)), key);
  await assert.rejects(started(t, [old], before), new RegExp(`under the master key ${done.master_key}`));
});

it('an instance that knows the old master key alone keeps the provider key that it has, and says so', async (t) => {
  const [old, next] = [newMasterKey(), newMasterKey()];
  const keys = [newOpenAiKey(), newOpenAiKey()];
  const left = await started(t, [old]);
  left.simulator.setKeys('openai', keys);
  const { proxyKey } = await left.device();
  await setKey(left, keys[0]);
  const { fingerprint } = await openaiOf(left);
  const ahead = await started(t, [next, old], left);
  await setKey(ahead, keys[1]);
  await rotate(ahead);
  const deadline = performance.now() + 5_000;
  while (!left.logLines().some(({ msg }) => String(msg).startsWith('stored provider keys cannot be read'))) {
    assert.ok(performance.now() < deadline, 'the log says nothing');
    assert.equal(await chatStatus(left, proxyKey), 200);
  }
  assert.equal(await chatStatus(left, proxyKey), 200);
  assert.equal(keyOf(left.simulator.requests.at(-1)), keys[0]);
  assert.equal((await openaiOf(left)).fingerprint, fingerprint);
});

it('a start that could not read a stored key fails with what to do, and uses no other key in its place', async (t) => {
  const master = newMasterKey();
  const gateway = await started(t, [master]);
  await setKey(gateway, newOpenAiKey());
  const wayOut = /provider remove-key <provider> --in-database/;
  for (const [masterKeys, because] of [
    [[], /provider:openai was stored through the admin API, and MASTER_KEY is not set/],
    [[newMasterKey(), newMasterKey()], /MASTER_KEY does not list \(it lists \w{8}, \w{8}\): add that key/],
  ] as const) {
    await assert.rejects(started(t, [...masterKeys], gateway), because);
    await assert.rejects(started(t, [...masterKeys], gateway), wayOut);
  }
  const { knex } = gateway.gateway;
  const [row] = await knex('provider_keys').select<{ sealed: Buffer }[]>();
  await knex('provider_keys').insert({ ...row, provider: 'anthropic' });
  await assert.rejects(
    started(t, [master], gateway),
    /provider:anthropic was changed where it is stored, or belongs/,
  );
});

it('a secret that cannot be read stops a rotation, which then has changed nothing', async (t) => {
  const [old, next] = [newMasterKey(), newMasterKey()];
  const before = await started(t, [old]);
  await setKey(before, newOpenAiKey());
  const both = await started(t, [next, old], before);
  const { knex } = both.gateway;
  const rows = (): Promise<object[]> => knex('provider_keys').select().orderBy('provider');
  const [row] = await rows();
  await knex('provider_keys').insert({ ...row, provider: 'anthropic' });
  const stored = await rows();
  const answer = await both.admin('/master-key/rotate', { method: 'POST' });
  assert.deepEqual([answer.status, answer.body.code], [409, 'secret_unreadable']);
  assert.match(String(answer.body.error), /^Nothing was changed: provider:anthropic was changed/);
  assert.deepEqual(await rows(), stored);
});
