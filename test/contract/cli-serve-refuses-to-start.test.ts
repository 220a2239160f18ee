import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { spawnLicensify, temporaryFolder } from '../support/cli.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { freePort } from '../support/servers/processes.ts';

/** From the start of the process; it opens and closes a database in it. Generous: other tests run at the same time. */
const FEW_SECONDS = 30_000;

const quiet = { PORT: '0', INTERNAL_PORT: '0', HOST: '127.0.0.1' };

async function refusal(env: Record<string, string>): Promise<string> {
  using folder = temporaryFolder();
  const gateway = spawnLicensify(['serve'], { cwd: folder.path, env: { ...quiet, ...env } });
  try {
    assert.equal(await gateway.ended(FEW_SECONDS), 1);
    const lines = gateway.output().split('\n');
    assert.doesNotMatch(gateway.output(), /hush/, 'a password');
    // What a log collector gets may hold a stack; what a person reads must not.
    return lines.filter((line) => !line.startsWith('{')).join('\n');
  } finally {
    await gateway.stop();
  }
}

describe('serve ends with 1 and one message', () => {
  let mute: Server;
  let muteAt: string;
  const sockets = new Set<Socket>();
  before(async () => {
    mute = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    muteAt = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });

  it('that lists every problem of the settings', async () => {
    const message = await refusal({ PORT: '99999', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://:hush@x' });
    assert.match(message, /^The settings have 3 problems:\n(?: {2}[A-Z_]+ holds ".*"; it takes .+\.\n){3}$/);
  });

  it('where the port is in use', async () => {
    const { port } = mute.address() as AddressInfo;
    const { url: DATABASE_URL } = await createTestDatabase();
    for (const variable of ['PORT', 'INTERNAL_PORT']) {
      const message = await refusal({ DATABASE_URL, [variable]: String(port) });
      assert.match(
        message,
        new RegExp(
          `^The gateway did not start: Port ${port} is in use: stop what uses it, or set ${variable} `,
        ),
      );
      assert.doesNotMatch(message, / {4}at /);
    }
  });

  it('where DATA_DIR cannot be written', async () => {
    assert.match(
      await refusal({ DATA_DIR: '/dev/null/data' }),
      /^DATA_DIR \/dev\/null\/data is no folder to write to: /,
    );
  });

  for (const [what, where] of [
    ['refuses', async () => `127.0.0.1:${await freePort()}`],
    ['says nothing', () => Promise.resolve(muteAt)],
  ] as const) {
    it(`where the database ${what}`, async () => {
      const at = await where();
      const message = await refusal({ DATABASE_URL: `postgres://user:hush@${at}/licensify` });
      const sentence = `The gateway did not start: PostgreSQL at ${at}/licensify cannot be used: correct DATABASE_URL, or start it`;
      assert.ok(message.startsWith(sentence), message);
      assert.doesNotMatch(message, / {4}at /);
    });

    it(`where Redis ${what}`, async () => {
      const at = await where();
      const { url: DATABASE_URL } = await createTestDatabase();
      const message = await refusal({ DATABASE_URL, REDIS_URL: `redis://:hush@${at}` });
      const sentence = `The gateway did not start: Redis at ${at} cannot be used: correct REDIS_URL, or start it`;
      assert.ok(message.startsWith(sentence), message);
      assert.doesNotMatch(message, / {4}at /);
    });
  }
});
