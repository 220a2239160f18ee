import { decryptProxyKey } from '../decrypt.ts';
import type { NewTestLicense, TestDevice } from '../gateway.ts';
import { rememberSecret } from '../output.ts';

/** A new license with devices activated on it. */
export interface Customer {
  readonly licenseId: string;
  readonly licenseKey: string;
  readonly devices: readonly [TestDevice, ...TestDevice[]];
}

/** What a gateway answered: its status, and its body as JSON. */
export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

/** Makes licenses and activates them, as the administrator and the customers of a cluster do. */
export class Customers {
  readonly #url: string;
  readonly #adminToken: string;

  /** @param on the gateway or load balancer to ask where a call names no other */
  constructor(on: { url: string; adminToken: string }) {
    this.#url = on.url;
    this.#adminToken = on.adminToken;
  }

  /** A new license on so many devices. @throws if any of it is refused */
  async add(fields: NewTestLicense = {}, devices = 1): Promise<Customer> {
    const body = {
      email: 'customer@example.com',
      name: 'A Customer',
      tier: 'pro',
      max_activations: devices,
      ...fields,
    };
    const made = (await this.admin('/licenses', { body })) as Answered & {
      body: { license: { id: string }; license_key: string };
    };
    if (made.status !== 201) throw new Error(`no license was made: ${made.status}`);
    const { license, license_key: licenseKey } = made.body;
    rememberSecret(licenseKey);
    const activated: TestDevice[] = [];
    for (let device = 1; device <= devices; device += 1)
      activated.push(await this.activate(license.id, licenseKey, `hw-${device}`));
    const [first, ...others] = activated;
    if (first === undefined) throw new Error('a customer has one device at least');
    return { licenseId: license.id, licenseKey, devices: [first, ...others] };
  }

  /** Activates a device, or gives it another key. @throws if that is refused */
  async activate(licenseId: string, licenseKey: string, hardwareId: string): Promise<TestDevice> {
    const { status, body } = await this.#json(this.#url, '/activate', {
      method: 'POST',
      body: { license_key: licenseKey, hardware_id: hardwareId },
    });
    if (status !== 200) throw new Error(`not activated: ${status}`);
    const proxyKey = decryptProxyKey(body as { encrypted_api_key: string; iv: string }, licenseKey);
    rememberSecret(proxyKey);
    return { licenseId, licenseKey, hardwareId, proxyKey };
  }

  /** A call of the admin API; the path goes behind `/admin/v1`. */
  admin(
    path: string,
    { method, body, on = this.#url }: { method?: string; body?: unknown; on?: string } = {},
  ): Promise<Answered> {
    return this.#json(on, `/admin/v1${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      body,
    });
  }

  /** What Redis holds for a license: today's and this month's count. @throws if the counters cannot be read */
  async used(licenseId: string, on = this.#url): Promise<{ today: number; this_month: number }> {
    const { status, body } = await this.admin(`/licenses/${licenseId}`, { on });
    if (status !== 200) throw new Error(`the license's usage cannot be read: ${status}`);
    return (body as { license: { usage: { today: number; this_month: number } } }).license.usage;
  }

  async #json(
    on: string,
    path: string,
    { method, body }: { method: string; body: unknown },
  ): Promise<Answered> {
    const answer = await fetch(on + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#adminToken}`,
        // One connection a call: a kept one may belong to a gateway that has been killed since.
        connection: 'close',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text };
  }
}
