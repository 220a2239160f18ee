import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, it } from 'node:test';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { tlsFindings } from '../../src/cli/doctor/public-url.ts';
import { spawnLicensify, temporaryFolder } from '../support/cli.ts';
import { examined, foundOf } from '../support/doctor/findings.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { certificateFile, localhostTls } from '../support/tls/certificate.ts';

let gateway: TestGateway;
let publicUrl: string;
const balancer = createServer(localhostTls, (req, res) => {
  const headers = { ...req.headers, 'x-forwarded-for': '203.0.113.7' };
  request(gateway.url + (req.url ?? ''), { headers }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(res);
  }).end();
});
before(async () => {
  gateway = await startTestGateway({ counters: 'memory', env: { TRUST_PROXY: '1' } });
  balancer.listen(0, '127.0.0.1');
  await once(balancer, 'listening');
  publicUrl = `https://localhost:${(balancer.address() as AddressInfo).port}`;
});
after(async () => {
  await gateway.close();
  balancer.close();
});

it('a certificate that is not trusted fails, as clients would', async () => {
  const result = await examined({ ...gateway.env, PUBLIC_URL: publicUrl });
  assert.equal(result.code, 1);
  assert.match(
    foundOf(result, 'public url').join(),
    /^fail: https:\/\/localhost:\d+ cannot be reached: .*self.signed/,
  );
});

it('one that is trusted is told with the days that it has left, and the token goes no other way', async () => {
  using folder = temporaryFolder();
  const env = { ...gateway.env, PUBLIC_URL: publicUrl, NODE_EXTRA_CA_CERTS: certificateFile };
  const cli = spawnLicensify(['doctor', '--json'], { cwd: folder.path, env });
  await cli.ended(60_000);
  const { findings } = JSON.parse(cli.output()) as { findings: Finding[] };
  const found = (check: string): string[] => foundOf({ code: 0, findings, output: '' }, check);
  assert.match(
    found('tls').join('\n'),
    /^ok: the certificate of localhost is trusted, and valid for \d{5} days$/m,
  );
  assert.match(found('tls').join('\n'), /^warn: no Strict-Transport-Security/m);
  assert.deepEqual(found('client addresses'), ['ok: TRUST_PROXY=1 fits the proxies in front']);
});

it('one that ends soon warns; without TLS beyond this machine it fails', () => {
  const days = (count: number) => Date.now() + count * 86_400_000 + 60_000;
  const states = (url: string, validTo: number | undefined): string[] =>
    tlsFindings(new URL(url), { 'strict-transport-security': 'max-age=31536000' }, validTo).map(
      ({ state }) => state,
    );
  assert.deepEqual(states('https://licenses.example.com', days(15)), ['ok']);
  assert.deepEqual(states('https://licenses.example.com', days(13)), ['warn']);
  assert.deepEqual(states('http://licenses.example.com', undefined), ['fail']);
});
