import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findServer, forcedWay, WAY_NAMES } from '../support/servers/find-server.ts';
import type { Attempt, Way, WayName } from '../support/servers/find-server.ts';
import { installProblem } from '../support/servers/install.ts';
import { fromEnvironment } from '../support/servers/ways.ts';

function waysWithServers(available: readonly WayName[]): { ways: Way[]; tried: WayName[] } {
  const tried: WayName[] = [];
  const ways = WAY_NAMES.map((name) => ({
    name,
    attempt(): Promise<Attempt> {
      tried.push(name);
      return Promise.resolve(
        available.includes(name)
          ? { server: { url: `redis://${name}`, description: `a server by ${name}` } }
          : { unavailable: `nothing by ${name}` },
      );
    },
  }));
  return { ways, tried };
}

test('the order is env, docker, programs, install, and the first with a server is taken', async () => {
  for (const [index, name] of WAY_NAMES.entries()) {
    const { ways, tried } = waysWithServers(WAY_NAMES.slice(index));
    const found = await findServer('Redis', ways, { say: () => undefined, advice: '' });
    assert.equal(found.way, name);
    assert.equal(found.url, `redis://${name}`);
    assert.deepEqual(tried, WAY_NAMES.slice(0, index + 1));
  }
});

test('it says which way it took, and why not the ones before', async () => {
  const said: string[] = [];
  const { ways } = waysWithServers(['programs']);
  await findServer('Redis', ways, { say: (line) => said.push(line), advice: '' });
  assert.deepEqual(said, ['Redis: not docker: nothing by docker', 'Redis: programs – a server by programs']);
});

test('a forced way is the only one tried', async () => {
  const { ways, tried } = waysWithServers(['env', 'docker']);
  const options = { forced: 'programs' as const, say: () => undefined, advice: 'install it' };
  await assert.rejects(findServer('Redis', ways, options), /nothing by programs/);
  assert.deepEqual(tried, ['programs']);
});

test('without a server the message has the reason of every way and what to install', async () => {
  const { ways } = waysWithServers([]);
  await assert.rejects(findServer('PostgreSQL', ways, { say: () => undefined, advice: 'Install it.' }), {
    message: [
      'No PostgreSQL for the tests.',
      ...WAY_NAMES.map((name) => `  ${name}: nothing by ${name}`),
      'Install it.',
    ].join('\n'),
  });
});

test('TEST_SERVERS takes the names of the ways and refuses others', () => {
  assert.equal(forcedWay({}), undefined);
  assert.equal(forcedWay({ TEST_SERVERS: 'docker' }), 'docker');
  assert.throws(() => forcedWay({ TEST_SERVERS: 'podman' }), /"podman".*env, docker, programs, install/);
});

test('a server named by the environment that does not answer stops the run, without its password', async () => {
  const env = { TEST_REDIS_URL: 'redis://:hunter2@127.0.0.1:1' };
  const refused = fromEnvironment('TEST_REDIS_URL', env, () => Promise.resolve('ECONNREFUSED'));
  await assert.rejects(refused, {
    message: 'TEST_REDIS_URL is set, but the server does not answer: ECONNREFUSED',
  });

  const taken = await fromEnvironment('TEST_REDIS_URL', env, () => Promise.resolve(undefined));
  assert.deepEqual(taken, {
    server: { url: env.TEST_REDIS_URL, description: '127.0.0.1:1 (TEST_REDIS_URL)' },
  });
  const unset = await fromEnvironment('TEST_REDIS_URL', {}, () => Promise.resolve(undefined));
  assert.deepEqual(unset, { unavailable: 'TEST_REDIS_URL is not set' });
});

test('packages are installed as root on Debian and what is like it only', () => {
  assert.equal(installProblem(true, 'NAME="Debian"\nID=debian\n'), undefined);
  assert.equal(installProblem(true, 'ID=linuxmint\nID_LIKE="ubuntu debian"\n'), undefined);
  assert.equal(installProblem(false, 'ID=debian\n'), 'not root');
  assert.equal(installProblem(true, 'ID=fedora\n'), 'this is neither Debian nor Ubuntu');
});
