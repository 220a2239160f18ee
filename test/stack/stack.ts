import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../support/servers/processes.ts';
import { OPENAI_KEY, ANTHROPIC_KEY } from '../support/simulator/keys.ts';
import type { Seen } from './provider.ts';

const run = promisify(execFile);
const project = resolve(import.meta.dirname, '../..');
const SERVICES = ['haproxy', 'prometheus', 'alertmanager', 'provider'];
const BUILD_AND_START_LIMIT = 540_000;
const OUTPUT_LIMIT = 32 * 1024 * 1024;

/** What `docker inspect` says of a container, as far as it is looked at here. */
export interface Inspected {
  Id: string;
  Name: string;
  State: { Status: string; ExitCode: number; Health?: { Status: string } };
  Config: { User: string; Labels: Record<string, string> };
  HostConfig: {
    ReadonlyRootfs: boolean;
    CapDrop: string[] | null;
    CapAdd: string[] | null;
    SecurityOpt: string[] | null;
    RestartPolicy: { Name: string };
    Memory: number;
    PidsLimit: number;
    Privileged: boolean;
  };
  NetworkSettings: { Ports: Record<string, { HostIp: string; HostPort: string }[] | null> };
}

/** docker-compose.yml as it stands, with a provider beside it, under a name of its own. */
export class Stack {
  readonly url: string;
  readonly httpsUrl: string;
  readonly secrets: string;
  readonly #name: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #compose: readonly string[];
  readonly #running = new Set<ChildProcess>();

  private constructor(
    ports: { http: number; https: number },
    compose: readonly string[],
    overrides: readonly string[],
  ) {
    this.url = `http://127.0.0.1:${ports.http}`;
    this.httpsUrl = `https://127.0.0.1:${ports.https}`;
    this.secrets = mkdtempSync(join(tmpdir(), 'licensify-stack-'));
    this.#name = `licensify-stack-${process.pid}`;
    const files = ['docker-compose.yml', 'test/stack/override.yml', ...overrides];
    this.#compose = [...compose, '-p', this.#name, ...files.flatMap((file) => ['-f', file])];
    this.#env = {
      ...process.env,
      HTTP_PORT: `127.0.0.1:${ports.http}`,
      HTTPS_PORT: `127.0.0.1:${ports.https}`,
      SECRETS_DIR: this.secrets,
      LICENSIFY_VERSION: 'stack-test',
      // All of the stack, its provider and its clients share one small machine here, and gateways start on it under load:
      // that an answer of Redis has to wait for a processor is no finding.
      REDIS_TIMEOUT_MS: '2000',
      OPENAI_BASE_URL: 'http://provider:9000',
      ANTHROPIC_BASE_URL: 'http://provider:9000',
      OPENAI_API_KEY: OPENAI_KEY,
      ANTHROPIC_API_KEY: ANTHROPIC_KEY,
    };
  }

  /**
   * Nothing is started yet.
   * @param overrides more compose files, such as one with other images
   * @throws if there is neither docker-compose nor the compose plugin
   */
  static async prepare(overrides: readonly string[] = []): Promise<Stack> {
    const compose = await findCompose();
    return new Stack({ http: await freePort(), https: await freePort() }, compose, overrides);
  }

  /** Runs deploy/secrets/generate. */
  async generateSecrets(): Promise<void> {
    await run(join(project, 'deploy/secrets/generate'), [this.secrets], { env: this.#env });
  }

  readSecret(name: string): string {
    return readFileSync(join(this.secrets, name), 'utf8').trim();
  }

  /** Builds the image; what has not changed since the build before comes from the engine's cache. */
  async build(): Promise<void> {
    await this.compose(['build', 'gateway']);
  }

  /** Starts everything but Grafana, which nothing depends on. */
  async start(gateways: number): Promise<void> {
    await this.compose(['up', '-d', '--scale', `gateway=${gateways}`, ...SERVICES]);
  }

  /** As an operator does it: nothing else is touched. */
  async scale(gateways: number): Promise<void> {
    await this.compose([
      'up',
      '-d',
      '--no-deps',
      '--no-recreate',
      '--scale',
      `gateway=${gateways}`,
      'gateway',
    ]);
  }

  /** @returns what it printed on standard output. @throws with all that it printed, if it fails */
  compose(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const [command = '', ...rest] = [...this.#compose, ...args];
    const child = spawn(command, rest, {
      cwd: project,
      env: { ...this.#env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: BUILD_AND_START_LIMIT,
    });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    let output = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (output += piece));
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (said += piece));
    return new Promise((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => {
        if (code === 0) done(output);
        else fail(new Error(`docker-compose ${args.join(' ')} failed (${code}):\n${output}${said}`));
      });
    });
  }

  /** The containers of a service, or of all, that are there: stopped ones too. */
  async containers(service?: string): Promise<Inspected[]> {
    const filters = [`label=com.docker.compose.project=${this.#name}`];
    if (service !== undefined) filters.push(`label=com.docker.compose.service=${service}`);
    const ids = await docker(['ps', '-aq', ...filters.flatMap((filter) => ['--filter', filter])]);
    const found = ids.split('\n').filter((id) => id !== '');
    if (found.length === 0) return [];
    return JSON.parse(await docker(['inspect', ...found])) as Inspected[];
  }

  /** Runs a command in the first container of a service, and returns what it printed. */
  async exec(service: string, command: readonly string[]): Promise<string> {
    return await this.compose(['exec', '-T', service, ...command]);
  }

  /** Asks from within the stack's own network. */
  async ask(url: string, body?: unknown): Promise<{ status: number; body: string }> {
    const args = body === undefined ? [url] : [url, JSON.stringify(body)];
    return JSON.parse(await this.exec('provider', ['node', 'test/stack/ask.ts', ...args])) as {
      status: number;
      body: string;
    };
  }

  async seen(): Promise<Seen> {
    return JSON.parse((await this.ask('http://127.0.0.1:9001/seen')).body) as Seen;
  }

  /** What the ledger has of a license. */
  async booked(licenseId: string): Promise<number> {
    const query = `select coalesce(sum(requests), 0) from usage where license_id = '${licenseId}'`;
    return Number(await this.exec('postgres', ['psql', '-U', 'licensify', '-d', 'licensify', '-Atc', query]));
  }

  /** The gateways that HAProxy sends requests to. */
  async readyGateways(): Promise<number> {
    const { body } = await this.ask('http://haproxy:8405/metrics');
    return Number(/^haproxy_backend_active_servers\{proxy="gateways"\} (\d+)/m.exec(body)?.[1]);
  }

  /** What Prometheus answers to a path of its API. */
  async prometheus<Data>(path: string): Promise<Data> {
    const url = `http://127.0.0.1:9090/api/v1/${path}`;
    const { data } = JSON.parse(await this.exec('prometheus', ['wget', '-q', '-O', '-', url])) as {
      data: Data;
    };
    return data;
  }

  /** Takes everything down, volumes and secrets too. */
  async remove(): Promise<void> {
    // A start that was interrupted must not go on behind our back.
    const ended = [...this.#running].map((child) => once(child, 'close'));
    this.#running.forEach((child) => child.kill('SIGTERM'));
    await Promise.all(ended);
    try {
      await this.compose(['down', '-v', '--remove-orphans', '-t', '5']);
    } finally {
      rmSync(this.secrets, { recursive: true, force: true });
    }
  }
}

/** Runs docker, and returns what it printed. */
export async function docker(args: readonly string[]): Promise<string> {
  const { stdout } = await run('docker', args, { maxBuffer: OUTPUT_LIMIT });
  return stdout.trim();
}

async function findCompose(): Promise<readonly string[]> {
  for (const command of [['docker', 'compose'], ['docker-compose']]) {
    const [program = '', ...args] = command;
    const found = await run(program, [...args, 'version']).then(
      () => true,
      () => false,
    );
    if (found) return command;
  }
  throw new Error('The stack test needs Docker with docker compose 2 or docker-compose 1.29.');
}
