import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { asAdministratorOf, type CliOptions, type CliResult } from '../support/cli.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let device: TestDevice;
let run: (args: string[], options?: CliOptions) => Promise<CliResult>;

before(async () => {
  gateway = await startTestGateway();
  run = asAdministratorOf(gateway);
});
after(() => gateway.close());
beforeEach(async () => {
  device = await gateway.device({ name: 'Ada', email: 'ada@example.com' }, 'ada-laptop');
});

async function isUsable(): Promise<boolean> {
  const headers = { authorization: `Bearer ${device.proxyKey}` };
  return (await gateway.request('/proxy/openai/v1/models', { headers })).status === 200;
}

describe('what cannot be taken back', () => {
  const commands = {
    'license revoke': () => ['license', 'revoke', device.licenseId],
    'device remove': () => ['device', 'remove', device.licenseId, 'ada-laptop'],
  };
  for (const [name, args] of Object.entries(commands)) {
    it(`${name} is refused with 2 where there is nobody to ask and no --yes`, async () => {
      const { code, out, err } = await run(args());
      assert.deepEqual([code, out], [2, '']);
      assert.equal(err, 'This asks for a confirmation, and there is no terminal to ask on: pass --yes.\n');
      assert.ok(await isUsable());
    });

    for (const answer of ['n', '', 'yeah']) {
      it(`${name} changes nothing on the answer ${JSON.stringify(answer)}`, async () => {
        const { code, err } = await run(args(), { answer });
        assert.equal(code, 1);
        assert.match(err, /\? .*\[y\/N\] \nNothing was changed\.\n$/);
        assert.ok(await isUsable());
      });
    }

    it(`${name} is done on the answer y`, async () => {
      assert.equal((await run(args(), { answer: 'y' })).code, 0);
      assert.ok(!(await isUsable()));
    });

    it(`${name} is done with --yes, without a question`, async () => {
      const { code, err } = await run([...args(), '--yes'], { answer: 'n' });
      assert.deepEqual([code, err], [0, '']);
      assert.ok(!(await isUsable()));
    });
  }

  it('names whose license it is and how many devices use it', async () => {
    const { err } = await run(['license', 'revoke', device.licenseId], { answer: 'n' });
    assert.match(err, /of Ada <ada@example\.com>, in use on 1 device\? It cannot be taken back/);
  });
});
