import type { JsonAnswer, TestGateway } from './gateway.ts';

/** A license as the admin API shows it. */
export interface AdminLicense {
  id: string;
  key_prefix: string;
  email: string;
  name: string;
  tier: string;
  status: string;
  expires_at: string | null;
  daily_limit: number;
  monthly_limit: number;
  max_activations: number;
  overrides: Record<'daily_limit' | 'monthly_limit' | 'max_activations', number | null>;
  created_at: string;
  updated_at: string;
  version: number;
}

export interface AdminDevice {
  hardware_id: string;
  activated_at: string;
  last_activated_at: string;
}

/** What the admin API's answers hold, each its part of it. */
export interface AdminBody {
  license: AdminLicense & {
    devices: AdminDevice[];
    device_count: number;
    usage: { today: number; this_month: number };
  };
  license_key: string;
  next_cursor: string | null;
  error: string;
  code: string;
}

export function adminBody({ body }: JsonAnswer): AdminBody {
  return body as unknown as AdminBody;
}

/** The rows of a list. */
export function licensesOf({ body }: JsonAnswer): AdminLicense[] {
  return (body as unknown as { data: AdminLicense[] }).data;
}

/** The hardware ids of a license's devices. */
export async function hardwareIds(gateway: TestGateway, licenseId: string): Promise<string[]> {
  const answer = await gateway.admin(`/licenses/${licenseId}/devices`);
  const { data } = answer.body as unknown as { data: AdminDevice[] };
  return data.map((device) => device.hardware_id);
}

/** Changes a license's status or fields; the status of the answer. */
export async function change(
  gateway: TestGateway,
  licenseId: string,
  what: 'suspend' | 'reinstate' | 'revoke' | object,
): Promise<number> {
  const answer =
    typeof what === 'string'
      ? await gateway.admin(`/licenses/${licenseId}/${what}`, { method: 'POST' })
      : await gateway.admin(`/licenses/${licenseId}`, { method: 'PATCH', body: what });
  return answer.status;
}
