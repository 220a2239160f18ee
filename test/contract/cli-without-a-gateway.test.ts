import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { licensify, temporaryFolder } from '../support/cli.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { freePort } from '../support/servers/processes.ts';

const ADMIN_TOKEN = 'token-of-somebody-else';

describe('where no gateway answers, one sentence says what to do:', () => {
  it('nothing listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, err } = await licensify(['license', 'list'], { env: { LICENSIFY_URL: url, ADMIN_TOKEN } });
    assert.equal(code, 1);
    assert.equal(err, `No gateway answers at ${url}: start one with npm start, or set LICENSIFY_URL.\n`);
  });

  it('nothing listens on the local PORT', async () => {
    const PORT = String(await freePort());
    const { err } = await licensify(['tier', 'list'], { envFile: { PORT } });
    assert.match(err, new RegExp(`^No gateway answers at http://localhost:${PORT}: `));
  });

  it('the name is unknown', async () => {
    const env = { LICENSIFY_URL: 'https://gateway.invalid', ADMIN_TOKEN };
    const { code, err } = await licensify(['license', 'list'], { env });
    assert.equal(code, 1);
    assert.match(
      err,
      /^The gateway at https:\/\/gateway\.invalid cannot be reached: .+ Is LICENSIFY_URL right\?\n$/,
    );
  });

  it('LICENSIFY_URL is no URL', async () => {
    const { code, err } = await licensify(['tier', 'list'], { env: { LICENSIFY_URL: 'localhost:8080' } });
    assert.equal(code, 2);
    assert.match(err, /^LICENSIFY_URL holds "localhost:8080"; it takes a URL such as https:/);
  });

  it('something else answers, or sends elsewhere', async () => {
    const server: Server = createServer((req, res) => {
      if (req.url?.startsWith('/moved') === true)
        res.writeHead(301, { location: 'https://moved.example.com/' });
      res.end('<html>hello</html>');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const at = (LICENSIFY_URL: string) =>
      licensify(['license', 'list'], { env: { LICENSIFY_URL, ADMIN_TOKEN } });
    const [other, moved] = [await at(url), await at(`${url}/moved/`)];
    server.close();
    server.closeAllConnections();
    assert.deepEqual([other.code, moved.code], [1, 1]);
    assert.match(other.err, /\(with status 200\) is no Licensify gateway: set LICENSIFY_URL/);
    assert.match(moved.err, /redirects to https:\/\/moved\.example\.com\/: set LICENSIFY_URL/);
  });
});

describe('where the gateway refuses', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(() => gateway.close());
  const list = (env: Record<string, string>, envFile = {}) =>
    licensify(['license', 'list'], { env: { LICENSIFY_URL: gateway.url, ...env }, envFile });

  it('a wrong token is named, masked, with where it came from', async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'token');
    writeFileSync(file, `${ADMIN_TOKEN}\n`);
    const dataDir = join(folder.path, 'data');
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'admin-token'), ADMIN_TOKEN);
    for (const [answer, source] of [
      [await list({ ADMIN_TOKEN }), 'ADMIN_TOKEN'],
      [await list({}, { ADMIN_TOKEN }), 'ADMIN_TOKEN in .env'],
      [await list({ ADMIN_TOKEN_FILE: file }), file],
      [await list({ DATA_DIR: dataDir }), join(dataDir, 'admin-token')],
    ] as const) {
      assert.equal(answer.code, 1);
      const sentence = `The gateway at ${gateway.url} refused the admin token ****else, which came from ${source}.\n`;
      assert.equal(answer.err, sentence);
    }
  });

  it('no token is found, it says where it was looked for', async () => {
    using folder = temporaryFolder();
    const { code, err } = await list({ DATA_DIR: folder.path });
    assert.equal(code, 1);
    assert.match(err, /^There is no admin token: set ADMIN_TOKEN, or .*admin-token\)\.\n$/);
  });

  it("the API's own sentence is printed", async () => {
    const env = { LICENSIFY_URL: gateway.url, ADMIN_TOKEN: gateway.adminToken };
    const unknown = await licensify(['license', 'show', 'lic_000000000000000000000000'], { env });
    assert.deepEqual([unknown.code, unknown.err], [1, 'License lic_000000000000000000000000 not found\n']);
    const args = ['license', 'create', '--email', 'nobody', '--name', 'A', '--tier', 'pro'];
    const invalid = await licensify(args, { env });
    assert.deepEqual([invalid.code, invalid.out], [1, '']);
    assert.match(invalid.err, /^email: Invalid email address\n$/);
  });
});
