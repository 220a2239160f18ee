import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProxyServer } from 'http-proxy';

/**
 * The least that can stand in the gateway's place: node:http and http-proxy with kept-alive connections, which puts the
 * real key in and does nothing else. What the gateway costs on top of it is what license, quota, ledger, metrics, logs
 * and guards cost.
 *
 *   TARGET=http://127.0.0.1:9000 REAL_KEY=sk-… node bench/bare-relay.ts
 */
const { TARGET: target = '', REAL_KEY: realKey = '' } = process.env;
const agent = new http.Agent({ keepAlive: true });
const proxy = createProxyServer({ target: new URL(target), agent, changeOrigin: true });
proxy.on('error', (_error, _req, res) => void res.destroy());

const server = http.createServer((req, res) => {
  req.headers.authorization = `Bearer ${realKey}`;
  proxy.web(req, res);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  agent.destroy();
});
