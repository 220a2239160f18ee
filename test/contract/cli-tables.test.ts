import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { asAdministratorOf } from '../support/cli.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
  const { id } = await gateway.createLicense();
  // The API would refuse such a name; an older row, or somebody's SQL, may hold it all the same.
  await gateway.gateway.knex('licenses').where({ id }).update({ name: 'Ada \u001b[2J\tB\u202e' });
});
after(() => gateway.close());

describe('a list', () => {
  it('is a drawn table on a terminal', async () => {
    const { out } = await asAdministratorOf(gateway)(['license', 'list'], { isInteractive: true });
    assert.match(out, /^┌─+┬/);
    assert.match(out, /│ id +│ email +│ name +│/);
  });

  it('is lines of tab-separated columns elsewhere', async () => {
    const { out } = await asAdministratorOf(gateway)(['license', 'list']);
    const rows = out.trimEnd().split('\n');
    assert.deepEqual(
      rows.map((row) => row.split('\t').length),
      [9, 9],
    );
    assert.match(rows[0] ?? '', /^id\temail\tname\ttier\tstatus\t/);
  });

  it("does not let a customer's name control the terminal", async () => {
    for (const args of [
      ['license', 'list'],
      ['license', 'list', '--json'],
    ]) {
      for (const isInteractive of [true, false]) {
        const { out } = await asAdministratorOf(gateway)(args, { isInteractive });
        assert.ok(!out.includes('\u001b'), args.join(' '));
      }
    }
    const { out } = await asAdministratorOf(gateway)(['license', 'list']);
    assert.match(out, /\tAda \uFFFD\[2J\uFFFDB\uFFFD\t/);
  });
});
