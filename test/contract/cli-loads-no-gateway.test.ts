import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { spawnLicensify, temporaryFolder } from '../support/cli.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

/** Prints every file that the process loads. */
const PRINT_LOADED = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ load: (url, context, next) => (process.stderr.write('loaded ' + url + '\\n'), next(url, context)) });
`)}`;

const HEAVY =
  /src\/gateway\.ts|src\/http\/|src\/stores\/|src\/config\.ts|node_modules\/(?:zod|knex|pino|express|ioredis)\//;

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.close());

async function loadedBy(args: string[]): Promise<string[]> {
  using folder = temporaryFolder();
  const cli = spawnLicensify(args, {
    cwd: folder.path,
    nodeOptions: ['--import', PRINT_LOADED],
    env: { LICENSIFY_URL: gateway.url, ADMIN_TOKEN: gateway.adminToken },
  });
  assert.equal(await cli.ended(), 0, cli.output());
  return cli
    .output()
    .split('\n')
    .filter((line) => line.startsWith('loaded '));
}

it('an administration command and --help load nothing of the gateway', async () => {
  for (const args of [['license', 'list'], ['tier', 'list'], ['--help']]) {
    const loaded = await loadedBy(args);
    assert.ok(loaded.some((line) => line.includes('src/cli/admin-api.ts')));
    assert.deepEqual(
      loaded.filter((line) => HEAVY.test(line)),
      [],
    );
  }
  assert.ok(
    (await loadedBy(['config'])).some((line) => HEAVY.test(line)),
    'the pattern finds what config loads',
  );
});
