import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OPENAI_KEY } from '../test/support/simulator/keys.ts';
import { startService, type Service } from './services.ts';

/** What users of a gateway have or would pick instead. They check no license and count nothing. */
export type PeerName = 'nginx' | 'haproxy' | 'portkey';

export type Peers = Partial<Record<PeerName, Service>>;

interface PeerOptions {
  /** Where their files go. */
  folder: string;
  /** Of the command: the core that it runs on. */
  prefix: readonly string[];
  target: string;
}

/** Starts those that this machine has; says which it has not, and why. */
export async function startPeers(options: PeerOptions, say: (line: string) => void): Promise<Peers> {
  const peers: Peers = {};
  for (const [name, start] of [
    ['nginx', startNginx],
    ['haproxy', startHaproxy],
    ['portkey', startPortkey],
  ] as const) {
    try {
      peers[name] = await start(options);
    } catch (error) {
      const [reason = ''] = String(error instanceof Error ? error.message : error).split('\n');
      say(`without ${name}: ${reason}`);
    }
  }
  return peers;
}

async function startNginx({ folder, prefix, target }: PeerOptions): Promise<Service> {
  const program = installed('nginx', '-v');
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, `nginx-${name}`)};`)
    .join('\n  ');
  writeFileSync(
    file,
    `daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
error_log ${join(folder, 'nginx.log')} crit;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary}
  upstream provider { server ${new URL(target).host}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000;
    client_max_body_size 32m;
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer ${OPENAI_KEY}";
      proxy_buffering off;
    }
  }
}
`,
  );
  return startService('nginx', '-c', {
    ...{ folder, prefix, program, url: `http://127.0.0.1:${port}` },
    arguments: [file, '-e', join(folder, 'nginx.log')],
  });
}

async function startHaproxy({ folder, prefix, target }: PeerOptions): Promise<Service> {
  const program = installed('haproxy', '-v');
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend public
  bind 127.0.0.1:${port}
  http-request set-header Authorization "Bearer ${OPENAI_KEY}"
  default_backend provider
backend provider
  server simulator ${new URL(target).host}
`,
  );
  return startService('haproxy', '-db', {
    ...{ folder, prefix, program, url: `http://127.0.0.1:${port}` },
    arguments: ['-f', file],
  });
}

/** From npm, into a folder that goes when the benchmark ends: it is no dependency of ours. */
async function startPortkey({ folder, prefix, target }: PeerOptions): Promise<Service> {
  const home = join(folder, 'portkey');
  mkdirSync(home);
  const manifest = {
    private: true,
    dependencies: { '@portkey-ai/gateway': '1.15.2', '@hono/node-server': '1.13.8' },
    // The one that 1.15.2 gets today answers streams with 500.
    overrides: { '@hono/node-server': '1.13.8' },
  };
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: home,
    timeout: 60_000,
  });
  const port = await freePort();
  const script = join(home, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  return startService('portkey', script, {
    ...{ folder, prefix, url: `http://127.0.0.1:${port}` },
    arguments: [`--port=${port}`, '--headless'],
    env: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: new URL(target).hostname },
  });
}

/** @throws Error if it is not there */
function installed(program: string, harmless: string): string {
  try {
    execFileSync(program, [harmless], { stdio: 'ignore' });
  } catch {
    throw new Error(`${program} is not installed`);
  }
  return program;
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
