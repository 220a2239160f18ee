import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, it } from 'node:test';
import { examined, foundOf } from '../support/doctor/findings.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { freePort } from '../support/servers/processes.ts';

const closers: (() => unknown)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

async function gatewayTrusting(proxies: number): Promise<TestGateway> {
  const gateway = await startTestGateway({ counters: 'memory', env: { TRUST_PROXY: String(proxies) } });
  closers.push(() => gateway.close());
  return gateway;
}

/** A load balancer that adds the client's address to X-Forwarded-For, or puts it in its place. */
async function balancerBefore({ url }: TestGateway, how: 'adds' | 'replaces'): Promise<string> {
  const server: Server = createServer((req, res) => {
    const claimed = req.headers['x-forwarded-for'];
    const own = '203.0.113.7';
    const forwarded = how === 'adds' && claimed !== undefined ? `${String(claimed)}, ${own}` : own;
    const headers = { ...req.headers, 'x-forwarded-for': forwarded };
    request(url + (req.url ?? ''), { headers, method: req.method }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('TRUST_PROXY without a proxy fails: clients could claim any address', async () => {
  const gateway = await gatewayTrusting(1);
  const result = await examined({ ...gateway.env, PUBLIC_URL: gateway.url });
  assert.equal(result.code, 1);
  assert.match(
    foundOf(result, 'client addresses').join(),
    /^fail: TRUST_PROXY is 1, and 0 .+ -> set TRUST_PROXY=0$/,
  );
});

for (const how of ['adds', 'replaces'] as const) {
  it(`behind a load balancer that ${how} the address, TRUST_PROXY has to count it`, async () => {
    const blind = await gatewayTrusting(0);
    const unseen = await examined({ ...blind.env, PUBLIC_URL: await balancerBefore(blind, how) });
    assert.match(
      foundOf(unseen, 'client addresses').join(),
      /^warn: TRUST_PROXY is 0, and 1 .+ look like one \(127\.0\.0\.1\) -> set TRUST_PROXY=1$/,
    );
    const right = await gatewayTrusting(1);
    const seen = await examined({ ...right.env, PUBLIC_URL: await balancerBefore(right, how) });
    assert.deepEqual(foundOf(seen, 'client addresses'), ['ok: TRUST_PROXY=1 fits the proxies in front']);
  });
}

it('a public URL that nobody answers fails, and so does one that somebody else answers', async () => {
  const gateway = await gatewayTrusting(0);
  const away = await examined({ ...gateway.env, PUBLIC_URL: `http://127.0.0.1:${await freePort()}` });
  assert.match(foundOf(away, 'public url').join(), /^fail: .+ cannot be reached: .*ECONNREFUSED/);
  const other = await examined({ ...gateway.env, PUBLIC_URL: gateway.internalUrl });
  assert.match(
    foundOf(other, 'public url').join(),
    /^fail: .+\/health answers 404 -> look at the load balancer/,
  );
});
