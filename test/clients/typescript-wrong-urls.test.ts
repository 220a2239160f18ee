import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { LicensifyError, UnavailableError, type Licensify } from '../../clients/typescript/src/index.ts';
import { ClientDevice } from '../support/client-stage.ts';

const failure = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);

describe("a URL that is not the gateway's", () => {
  it('something that is no gateway, one that redirects, and one that is silent', async () => {
    const server = createServer((req, res) => {
      if (req.url === '/moved/tiers')
        res.writeHead(301, { location: 'https://elsewhere.example/tiers' }).end();
      else if (req.url === '/plain/tiers') res.end('<h1>It works!</h1>');
      else if (req.url === '/balancer/tiers') res.writeHead(503).end('no server is available');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const asked = (path: string): Promise<unknown> =>
      failure(new ClientDevice({ url: url + path }).start({ timeoutMs: 300 }).tiers());
    try {
      const moved = await asked('/moved');
      assert.ok(moved instanceof LicensifyError);
      assert.match(
        moved.message,
        /redirects to https:\/\/elsewhere\.example\/tiers: use the URL where the gateway is/,
      );
      const plain = await asked('/plain');
      assert.ok(plain instanceof LicensifyError);
      assert.match(plain.message, /is no Licensify gateway: check the URL/);
      assert.ok((await asked('/balancer')) instanceof UnavailableError);
      const silent = await asked('/silent');
      assert.ok(silent instanceof UnavailableError);
      assert.equal(silent.code, 'timeout');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('a URL that would send keys in the clear, or is none, is refused at once', () => {
    const at = (url: string, allowHttp = false): Licensify => new ClientDevice({ url }).start({ allowHttp });
    assert.throws(() => at('http://licenses.example.com'), /keys in the clear: use https/);
    assert.throws(() => at('licenses.example.com'), /has to be one such as https:/);
    assert.throws(() => at('https://user:password@licenses.example.com'), /no user and password/);
    assert.equal(at('http://licenses.example.com', true).url, 'http://licenses.example.com');
    assert.equal(at('https://licenses.example.com/base/').url, 'https://licenses.example.com/base');
    assert.equal(at('http://localhost:8080/').url, 'http://localhost:8080');
  });
});
