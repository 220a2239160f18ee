import { Router, type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Activation, ActivationResult } from '../licensing/activation.ts';
import type { Actor } from '../licensing/changes-recorder.ts';
import type { Devices } from '../licensing/devices.ts';
import { encryptForLicense } from '../licensing/key-envelope.ts';
import { demandOn, type Demand } from '../licensing/proofs/demand.ts';
import { parseDeviceKey, type DeviceKey } from '../licensing/proofs/device-key.ts';
import { effectiveLimits, refusalAt, type License } from '../licensing/license.ts';
import type { Licenses } from '../licensing/licenses.ts';
import type { Tiers } from '../licensing/tiers.ts';
import type { Admission } from '../quota/admission.ts';
import { endOfDay } from '../quota/windows.ts';
import type { Attempts } from './attempts.ts';
import { refuse, RefusalError } from './errors.ts';
import { answerRefusal, jsonBody, onlyMethod, validated } from './json-endpoint.ts';
import { requestState } from './request-state.ts';

export interface LicenseParts {
  clock: Clock;
  licenses: Licenses;
  devices: Devices;
  activation: Activation;
  admission: Admission;
  attempts: Attempts;
  tiers: () => Tiers;
  /** REQUIRE_SIGNATURE. */
  requireSignature: boolean;
  /** Direct mode's key, handed out in place of proxy keys; undefined in proxy mode. */
  directKey: string | undefined;
}

/** The device's own key, by which it proves that its requests are its own. */
const publicKey = z
  .string()
  .max(1_000)
  .transform((text, context) => {
    const key = parseDeviceKey(text);
    if (key !== undefined) return key;
    const takes = 'must be an Ed25519 public key: its 32 bytes in base64url or base64, or an SPKI PEM';
    context.addIssue({ code: 'custom', message: takes });
    return z.NEVER;
  });

export const deviceRequest = z.object({
  license_key: z.string().max(200),
  hardware_id: z
    .string()
    .trim()
    .min(1)
    .max(255)
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, 'must be printable characters'),
});

const activationRequest = deviceRequest.extend({ public_key: publicKey.nullish() });

/** `POST /activate`, `/deactivate` and `/check` (contract §3.1, §3.2). */
export function licenseEndpoints(parts: LicenseParts): Router {
  const router = Router({ caseSensitive: true });
  const endpoint = (path: string, handler: RequestHandler): void => {
    router.route(path).post(parts.attempts.guard, jsonBody, handler).all(onlyMethod('POST'));
  };
  endpoint('/activate', activate(parts));
  endpoint('/deactivate', deactivate(parts));
  endpoint('/check', check(parts));
  return router;
}

function activate(parts: LicenseParts): RequestHandler {
  return async (req, res) => {
    const request = validated(activationRequest, req.body);
    const { license_key: licenseKey, hardware_id: hardwareId } = request;
    const deviceKey = request.public_key ?? undefined;
    const result = await parts.activation.activate(
      licenseKey,
      { hardwareId, deviceKey },
      customerOf(req, res),
    );
    if (!result.activated) {
      const isUnknown = result.refusal === 'invalid_license_key';
      answerRefusal(res, isUnknown ? await parts.attempts.failed(req) : activationRefusal(result));
      return;
    }
    const { license, proxyKey } = result;
    requestState(res).license = license.id;
    const limits = effectiveLimits(license, parts.tiers());
    const { encryptedApiKey, iv } = encryptForLicense(parts.directKey ?? proxyKey, licenseKey);
    res.json({
      success: true,
      encrypted_api_key: encryptedApiKey,
      iv,
      tier: license.tier,
      customer_name: license.name,
      expires_at: license.expiresAt?.toISOString() ?? null,
      limits: { daily_limit: limits.daily, monthly_limit: limits.monthly, max_activations: limits.devices },
      // Left out where nothing is asked for.
      signing: parts.directKey === undefined ? signingOf(parts, license, deviceKey) : undefined,
    });
  };
}

function signingOf(
  { tiers, requireSignature }: LicenseParts,
  { tier }: License,
  deviceKey: DeviceKey | undefined,
): Demand['kind'] | undefined {
  return demandOn({ deviceKey }, tiers().get(tier), { everywhere: requireSignature, stamped: false })?.kind;
}

function activationRefusal(
  result: Extract<ActivationResult, { activated: false }>,
): ReturnType<typeof refuse> {
  switch (result.refusal) {
    case 'device_limit_reached':
      return refuse(result.refusal, { max: result.maxActivations });
    case 'device_already_licensed':
      return refuse(result.refusal, { tier: result.tier });
    case 'invalid_license_key':
    case 'public_key_required':
    case 'license_suspended':
    case 'license_expired':
    case 'tier_not_configured':
      return refuse(result.refusal);
  }
}

function deactivate(parts: LicenseParts): RequestHandler {
  return async (req, res) => {
    const { license_key: licenseKey, hardware_id: hardwareId } = validated(deviceRequest, req.body);
    const license = await findLicense(parts, req, licenseKey);
    requestState(res).license = license.id;
    const removed = await parts.devices.remove(license.id, hardwareId, customerOf(req, res));
    if (!removed) {
      answerRefusal(res, refuse('hardware_not_activated'));
      return;
    }
    res.json({ success: true });
  };
}

function check(parts: LicenseParts): RequestHandler {
  return async (req, res) => {
    const { license_key: licenseKey, hardware_id: hardwareId } = validated(deviceRequest, req.body);
    const license = await findLicense(parts, req, licenseKey);
    requestState(res).license = license.id;
    const limits = effectiveLimits(license, parts.tiers());
    const [isActivated, used] = await Promise.all([
      parts.devices.has(license.id, hardwareId),
      parts.admission.used(license.id).catch((cause: unknown) => {
        requestState(res).error = cause;
        throw new RefusalError('counters_unavailable');
      }),
    ]);
    const refusal =
      refusalAt(license, parts.tiers(), parts.clock.now()) ??
      (isActivated ? undefined : 'hardware_not_activated');
    res.json({
      valid: refusal === undefined,
      ...(refusal !== undefined && { reason: refusal }),
      tier: license.tier,
      expires_at: license.expiresAt?.toISOString() ?? null,
      usage_today: used.today,
      daily_limit: limits.daily,
      usage_this_month: used.thisMonth,
      monthly_limit: limits.monthly,
      reset_at: new Date(endOfDay(used.day)).toISOString(),
    });
  };
}

/** Whoever holds a license key, or a code. */
export function customerOf(req: Request, res: Response): Actor {
  return { type: 'customer', name: 'customer', address: req.ip, requestId: requestState(res).id };
}

/** A revoked license is nobody's any more. @throws RefusalError where the key is unknown */
export async function findLicense(
  parts: LicenseParts,
  req: Parameters<RequestHandler>[0],
  licenseKey: string,
): Promise<License> {
  const license = await parts.licenses.findByKey(licenseKey);
  if (license !== undefined && license.status !== 'revoked') return license;
  const { code, details, retryAfter } = await parts.attempts.failed(req);
  throw new RefusalError(code, details, retryAfter);
}
