import { decryptProxyKey } from '../test/support/decrypt.ts';

/** An activated device of a license without limits. */
export interface Device {
  readonly licenseId: string;
  readonly proxyKey: string;
  /** What the gateway's own counters say the license has used this month. */
  counted(): Promise<number>;
}

/** Makes a license and activates a device on it, as an administrator and a customer would. */
export async function activateDevice(gateway: string, adminToken: string): Promise<Device> {
  const { license, license_key: licenseKey } = await post<{ license: { id: string }; license_key: string }>(
    `${gateway}/admin/v1/licenses`,
    { email: 'bench@example.com', name: 'Bench', tier: 'enterprise' },
    { authorization: `Bearer ${adminToken}` },
  );
  const device = { license_key: licenseKey, hardware_id: 'bench' };
  const activated = await post<{ encrypted_api_key: string; iv: string }>(`${gateway}/activate`, device);
  return {
    licenseId: license.id,
    proxyKey: decryptProxyKey(activated, licenseKey),
    async counted() {
      return (await post<{ usage_this_month: number }>(`${gateway}/check`, device)).usage_this_month;
    },
  };
}

/** Calls an endpoint of the gateway. @throws Error if it refuses */
export async function post<Answer>(
  url: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${new URL(url).pathname} answered ${answer.status}`);
  return (await answer.json()) as Answer;
}
