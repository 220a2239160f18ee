import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestGateway } from '../support/gateway.ts';
import { keyOf, newMasterKey, newOpenAiKey, openaiOf, removeKey, setKey } from '../support/provider-admin.ts';
import { OPENAI_KEY } from '../support/simulator/simulator.ts';
import { outcomes, startLoad } from '../support/steady-load.ts';

/** The contract's; quality B16 allows 5 s. Milliseconds. */
const EVERYWHERE_WITHIN = 1_000;

it('a key that is set under load is used by two gateways within a second, and no request fails', async (t) => {
  const one = await startTestGateway({ env: { MASTER_KEY: newMasterKey() } });
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  const { simulator } = one;
  const { proxyKey } = await one.device({ tier: 'enterprise' });
  const keys = [newOpenAiKey(), newOpenAiKey()];
  simulator.setKeys('openai', [OPENAI_KEY, ...keys]);
  const load = startLoad([one, other], proxyKey, { width: 8 });

  /** Until when the provider still saw another key. Milliseconds after the answer of the change. */
  const overlapOf = async (key: string, change: () => Promise<{ status: number }>): Promise<number> => {
    const from = simulator.requests.length;
    assert.equal((await change()).status, 200);
    const changedAt = Date.now();
    await sleep(EVERYWHERE_WITHIN + 300);
    const since = simulator.requests.slice(from);
    const others = since.filter((request) => keyOf(request) !== key);
    assert.ok(others.length < since.length / 2, `${others.length} of ${since.length} had another key`);
    return Math.max(0, ...others.map(({ receivedAt }) => receivedAt - changedAt));
  };

  const [first = '', second = ''] = keys;
  for (const [key, next, change] of [
    [first, second, () => setKey(one, first)],
    [second, OPENAI_KEY, () => setKey(other, second)],
    [OPENAI_KEY, OPENAI_KEY, () => removeKey(one)],
  ] as const) {
    const overlap = await overlapOf(key, change);
    assert.ok(overlap <= EVERYWHERE_WITHIN, `another key was used ${overlap} ms after the change`);
    t.diagnostic(`the key before was last used ${overlap} ms after the answer`);
    // As soon as that, the provider may refuse it.
    simulator.setKeys('openai', [key, next]);
    assert.equal((await openaiOf(one)).fingerprint, (await openaiOf(other)).fingerprint);
  }
  const shots = await load.stop();
  t.diagnostic(JSON.stringify(outcomes(shots)));
  assert.deepEqual(Object.keys(outcomes(shots)), ['200']);
});
