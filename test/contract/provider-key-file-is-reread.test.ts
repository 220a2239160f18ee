import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { temporaryFolder } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import { PATIENCE } from '../support/raw-http.ts';
import { startSimulator, type Simulator } from '../support/simulator/simulator.ts';
import { fetchChat } from '../support/streams.ts';

const keys = ['first', 'second', 'third', 'fourth'].map((name) => `sk-${name}-key-of-a-file-0123456789`);
const [FIRST = '', SECOND = '', THIRD = '', FOURTH = ''] = keys;
/** Quality B16: the old key is not used any more after this. Milliseconds. */
const IN_USE_WITHIN = 5_000;

describe('a provider key from OPENAI_API_KEY_FILE', () => {
  const folder = temporaryFolder();
  const file = join(folder.path, 'key');
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    keys.forEach(rememberSecret);
    // As Kubernetes mounts a secret: a symbolic link into a folder that is swapped as a whole.
    mount(FIRST, '1');
    gateway = await startTestGateway({
      counters: 'memory',
      env: { OPENAI_API_KEY: undefined, OPENAI_API_KEY_FILE: file },
    });
    device = await gateway.device({ tier: 'enterprise' });
    gateway.simulator.setKeys('openai', keys);
  });
  after(async () => {
    await gateway.close();
    folder[Symbol.dispose]();
  });

  function mount(key: string, version: string): void {
    const data = join(folder.path, version);
    mkdirSync(data);
    writeFileSync(join(data, 'key'), `${key}\n`);
    symlinkSync(data, join(folder.path, 'next'));
    renameSync(join(folder.path, 'next'), join(folder.path, 'data'));
    if (version === '1') symlinkSync(join('data', 'key'), file);
  }

  const lastKey = ({ requests }: Simulator): string | undefined =>
    requests.at(-1)?.headers.authorization?.replace('Bearer ', '');

  /** Keeps four requests under way until the provider sees a key; the statuses of all of them. */
  async function loadUntil(key: string): Promise<{ statuses: Set<number>; requests: number }> {
    const statuses = new Set<number>();
    let requests = 0;
    let isOver = false;
    const load = async (): Promise<void> => {
      while (!isOver) {
        const answer = await fetchChat(gateway, device);
        await answer.text();
        statuses.add(answer.status);
        requests += 1;
      }
    };
    const loads = Promise.all([load(), load(), load(), load()]);
    try {
      await eventually(() => assert.equal(lastKey(gateway.simulator), key), PATIENCE);
    } finally {
      isOver = true;
      await loads;
    }
    return { statuses, requests };
  }

  const changes: { how: string; key: string; change: () => void }[] = [
    { how: 'swapped as Kubernetes does it', key: SECOND, change: () => mount(SECOND, '2') },
    {
      how: 'written anew, with no newline',
      key: THIRD,
      change: () => writeFileSync(join(folder.path, 'data/key'), THIRD),
    },
  ];
  for (const { how, key, change } of changes) {
    it(`${how}: is in use soon, under load and without a failure`, async (t) => {
      await loadUntil(lastKey(gateway.simulator) ?? FIRST);
      const changedAt = performance.now();
      change();
      const { statuses, requests } = await loadUntil(key);
      const took = performance.now() - changedAt;
      t.diagnostic(
        `in use after ${took.toFixed(0)} ms; ${requests} requests meanwhile, statuses ${[...statuses].join()}`,
      );
      assert.deepEqual([...statuses], [200]);
      assert.ok(took < IN_USE_WITHIN);
      // The provider may refuse the old one now.
      gateway.simulator.setKeys('openai', [key]);
      assert.equal((await fetchChat(gateway, device)).status, 200);
      gateway.simulator.setKeys('openai', keys);
    });
  }

  for (const [what, content] of [
    ['empty', ' \n'],
    ['no key, but a page', '<html>\nnot found\n</html>'],
    ['of bytes no header can hold', 'sk-\u00e9\u2028'],
  ] as const) {
    it(`${what}: the key before stays in force, and the log says so`, async () => {
      const before = gateway.logLines().length;
      writeFileSync(join(folder.path, 'data/key'), content);
      await eventually(() => {
        const lines = gateway.logLines().slice(before);
        assert.ok(lines.some(({ level, provider }) => level === 'error' && provider === 'openai'));
      }, PATIENCE);
      assert.equal((await fetchChat(gateway, device)).status, 200);
      assert.equal(lastKey(gateway.simulator), THIRD);
      assert.equal(JSON.stringify(gateway.logLines().slice(before)).includes('sk-\u00e9'), false);
    });
  }

  it('and a good one after that is taken over again', async () => {
    writeFileSync(join(folder.path, 'data/key'), FOURTH);
    const { statuses } = await loadUntil(FOURTH);
    assert.deepEqual([...statuses], [200]);
  });

  it('is not needed for a key that stands in the environment', async () => {
    const simulator = await startSimulator({ openaiKeys: [FIRST] });
    const plain = await startTestGateway({
      counters: 'memory',
      env: { OPENAI_API_KEY: FIRST, OPENAI_BASE_URL: simulator.url },
    });
    const { proxyKey } = await plain.device();
    const answer = await plain.request('/proxy/openai/v1/models', {
      headers: { authorization: `Bearer ${proxyKey}` },
    });
    assert.equal(answer.status, 200);
    assert.equal(lastKey(simulator), FIRST);
    await plain.close();
    await simulator.close();
  });
});
