import { Router, type RequestHandler } from 'express';
import { z } from 'zod';
import { effectiveLimits, refusalAt, type EffectiveLimits, type License } from '../licensing/license.ts';
import { UNLIMITED } from '../licensing/tiers.ts';
import type { Admission, Used } from '../quota/admission.ts';
import { endOfDay } from '../quota/windows.ts';
import { isUnavailable } from '../stores/database.ts';
import { RefusalError } from './errors.ts';
import { jsonBody, onlyMethod, validated } from './json-endpoint.ts';
import { deviceRequest, findLicense, type LicenseParts } from './licenses.ts';
import { rateLimitHeaders } from './rate-limit-headers.ts';
import { requestState } from './request-state.ts';

/** A slip of a client must not use up a license for good. */
const MOST_AT_ONCE = 10_000;

/** What these requests are booked under: no provider's. */
const PROVIDER = 'direct';

const usageRequest = deviceRequest.extend({ count: z.int().min(1).max(MOST_AT_ONCE) });

export interface UsageParts extends LicenseParts {
  /** Told what is used up of a license's limits. */
  counted: (license: Pick<License, 'id' | 'tier'>, limits: EffectiveLimits, used: Used) => void;
}

/**
 * `POST /usage`, in direct mode (contract §3.3): what a client used with the key that it was given. It is booked even
 * beyond the limits, since it has happened; the answer says what is left, and whether that is over.
 */
export function usageEndpoint(parts: UsageParts): Router {
  const router = Router({ caseSensitive: true });
  router.route('/usage').post(parts.attempts.guard, jsonBody, reportUsage(parts)).all(onlyMethod('POST'));
  return router;
}

function reportUsage(parts: UsageParts): RequestHandler {
  return async (req, res) => {
    const { license_key: licenseKey, hardware_id: hardwareId, count } = validated(usageRequest, req.body);
    const license = await findLicense(parts, req, licenseKey);
    const state = requestState(res);
    state.license = license.id;
    const refusal = refusalAt(license, parts.tiers(), parts.clock.now());
    if (refusal !== undefined) throw new RefusalError(refusal);
    const deviceId = await parts.devices.idOf(license.id, hardwareId);
    if (deviceId === undefined) throw new RefusalError('hardware_not_activated');
    const used = await book(parts.admission, { licenseId: license.id, deviceId, count }, (cause) => {
      state.error = cause;
    });
    const limits = effectiveLimits(license, parts.tiers());
    parts.counted(license, limits, used);
    res.set(rateLimitHeaders(limits, used, parts.clock.now()));
    res.json({
      success: true,
      usage_today: used.today,
      daily_limit: limits.daily,
      daily_remaining: remaining(limits.daily, used.today),
      usage_this_month: used.thisMonth,
      monthly_limit: limits.monthly,
      monthly_remaining: remaining(limits.monthly, used.thisMonth),
      limit_exceeded: isOver(limits.daily, used.today) || isOver(limits.monthly, used.thisMonth),
      reset_at: new Date(endOfDay(used.day)).toISOString(),
    });
  };
}

/** @throws RefusalError where the counters cannot be asked: nothing was booked then, and the client reports again */
async function book(
  admission: Admission,
  { licenseId, deviceId, count }: { licenseId: string; deviceId: number; count: number },
  tell: (cause: unknown) => void,
): Promise<Used> {
  const reported = await admission.report({ licenseId, deviceId, provider: PROVIDER, model: '' }, count);
  if (reported.outcome === 'booked') return reported.used;
  tell(reported.cause);
  throw new RefusalError(isUnavailable(reported.cause) ? 'database_unavailable' : 'counters_unavailable');
}

function remaining(limit: number, used: number): number {
  return limit === UNLIMITED ? UNLIMITED : Math.max(0, limit - used);
}

function isOver(limit: number, used: number): boolean {
  return limit !== UNLIMITED && used > limit;
}
