import { randomBytes } from 'node:crypto';
import { spawnLicensify, type CliProcess } from './cli.ts';
import { decryptProxyKey } from './decrypt.ts';
import type { TestDevice } from './gateway.ts';
import { keepDump, rememberSecret } from './output.ts';
import { ANTHROPIC_KEY, OPENAI_KEY } from './simulator/simulator.ts';

const adminToken = `admin-${randomBytes(24).toString('hex')}`;

/** A gateway in a process of its own, on the embedded database of a folder. */
export interface Served {
  readonly url: string;
  readonly internalUrl: string;
  readonly adminToken: string;
  readonly process: CliProcess;
  /** A new license, activated on one device. */
  device(fields?: { daily_limit?: number; tier?: string }): Promise<TestDevice>;
  usedToday(device: TestDevice): Promise<number>;
  /** Keeps its log for the scan, and ends it if it still runs. */
  end(): Promise<void>;
}

/** Starts `licensify serve` and waits until it listens. */
export async function serve(
  folder: string,
  provider: { readonly url: string },
  env: Record<string, string> = {},
): Promise<Served> {
  for (const secret of [adminToken, OPENAI_KEY, ANTHROPIC_KEY]) rememberSecret(secret);
  const process = spawnServe(folder, provider, env);
  try {
    const [line] = await process.waitFor(/^\{.*"msg":"listening".*\}$/m);
    const { url, internalUrl } = JSON.parse(line) as { url: string; internalUrl: string };
    return new ServedProcess(process, url, internalUrl);
  } catch (error) {
    await process.stop();
    throw error;
  }
}

/** The same, without waiting: for a start that is going to fail. */
export function spawnServe(
  folder: string,
  provider: { readonly url: string },
  env: Record<string, string> = {},
): CliProcess {
  return spawnLicensify(['serve'], {
    cwd: folder,
    env: {
      PORT: '0',
      INTERNAL_PORT: '0',
      HOST: '127.0.0.1',
      DATA_DIR: folder,
      ADMIN_TOKEN: adminToken,
      OPENAI_API_KEY: OPENAI_KEY,
      ANTHROPIC_API_KEY: ANTHROPIC_KEY,
      OPENAI_BASE_URL: provider.url,
      ANTHROPIC_BASE_URL: provider.url,
      ...env,
    },
  });
}

class ServedProcess implements Served {
  readonly process: CliProcess;
  readonly url: string;
  readonly internalUrl: string;
  readonly adminToken = adminToken;

  constructor(process: CliProcess, url: string, internalUrl: string) {
    this.process = process;
    this.url = url;
    this.internalUrl = internalUrl;
  }

  async device(fields: { daily_limit?: number; tier?: string } = {}): Promise<TestDevice> {
    const body = { email: 'customer@example.com', name: 'A Customer', tier: 'pro', ...fields };
    const made = await this.#json('/admin/v1/licenses', body);
    const { license, license_key: licenseKey } = made as { license: { id: string }; license_key: string };
    rememberSecret(licenseKey);
    const hardwareId = 'hw-served';
    const activated = await this.#json('/activate', { license_key: licenseKey, hardware_id: hardwareId });
    const proxyKey = decryptProxyKey(activated as { encrypted_api_key: string; iv: string }, licenseKey);
    rememberSecret(proxyKey);
    return { licenseId: license.id, licenseKey, hardwareId, proxyKey };
  }

  async usedToday({ licenseId }: TestDevice): Promise<number> {
    const shown = await this.#json(`/admin/v1/licenses/${licenseId}`);
    return (shown as { license: { usage: { today: number } } }).license.usage.today;
  }

  async end(): Promise<void> {
    await this.process.stop();
    keepDump('logs', this.process.output());
  }

  async #json(path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(this.url + path, {
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}
