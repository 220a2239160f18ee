import { asObject, parse } from './answers.ts';
import { readDeviceKey, type DeviceKey } from './device-key.ts';
import { LicensifyError, StoreError } from './errors.ts';
import { openKeyEnvelope } from './key-envelope.ts';
import { orUnlimited } from './quota.ts';

/** What this device keeps of its activation. The Python client reads and writes the same. */
export interface KeptActivation {
  version: 1;
  url: string;
  /** Absent where the application did not want it kept: then only it can activate again. */
  license_key?: string;
  hardware_id: string;
  proxy_key: string;
  /** What the gateway asks requests with this key to be signed with. */
  signing?: 'hmac-sha256' | 'ed25519';
  /** What the proxy key is bound to. */
  private_key?: DeviceKey;
}

/** What an activation tells. Limits are requests, or devices; null stands for unlimited. */
export interface Activation {
  tier: string;
  customerName: string;
  expiresAt: Date | null;
  dailyLimit: number | null;
  monthlyLimit: number | null;
  maxActivations: number | null;
  hardwareId: string;
}

/** The answer of `/activate`, opened. @throws LicensifyError where it is none */
export async function readActivation(
  body: unknown,
  { licenseKey, hardwareId }: { licenseKey: string; hardwareId: string },
): Promise<{ activation: Activation; proxyKey: string; signing: KeptActivation['signing'] }> {
  const answer = asObject(body);
  const limits = asObject(answer?.limits);
  const { encrypted_api_key: encrypted, iv } = answer ?? {};
  if (typeof encrypted !== 'string' || typeof iv !== 'string' || limits === undefined) {
    throw new LicensifyError('What answered to /activate is no Licensify gateway: check the URL', {
      code: 'unexpected_answer',
    });
  }
  return {
    proxyKey: await openKeyEnvelope(encrypted, iv, licenseKey),
    signing: isSigning(answer?.signing) ? answer.signing : undefined,
    activation: {
      tier: String(answer?.tier),
      customerName: String(answer?.customer_name),
      expiresAt: toDate(answer?.expires_at),
      dailyLimit: orUnlimited(Number(limits.daily_limit)),
      monthlyLimit: orUnlimited(Number(limits.monthly_limit)),
      maxActivations: orUnlimited(Number(limits.max_activations)),
      hardwareId,
    },
  };
}

/** @throws StoreError where the text is not what `JSON.stringify` made of one */
export function readKept(text: string, name: string): KeptActivation {
  const kept = asObject(parse(text));
  const isWhole =
    kept?.version === 1 &&
    typeof kept.url === 'string' &&
    typeof kept.hardware_id === 'string' &&
    typeof kept.proxy_key === 'string' &&
    ['string', 'undefined'].includes(typeof kept.license_key) &&
    (kept.signing === undefined || isSigning(kept.signing)) &&
    (kept.private_key === undefined || readDeviceKey(kept.private_key) !== undefined);
  if (isWhole) return kept as unknown as KeptActivation;
  throw new StoreError(`What is kept as "${name}" is damaged: activate again, which makes a new key`, {
    code: 'store_damaged',
  });
}

function isSigning(value: unknown): value is 'hmac-sha256' | 'ed25519' {
  return value === 'hmac-sha256' || value === 'ed25519';
}

/** ISO 8601 or null, as the gateway writes moments. */
export function toDate(value: unknown): Date | null {
  return typeof value === 'string' ? new Date(value) : null;
}

/** A gateway's URL as the name of a file. */
export function nameFor(url: string): string {
  return `${url.replace(/:\/\//, '_').replaceAll(/[^A-Za-z0-9.-]/g, '_')}.json`;
}
