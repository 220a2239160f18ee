import { Router, type RequestHandler } from 'express';
import { z } from 'zod';
import { effectiveLimits, type License } from '../licensing/license.ts';
import type { Notice, SignUp } from '../licensing/sign-up.ts';
import { UNLIMITED, type Tier, type Tiers } from '../licensing/tiers.ts';
import { CODE_LIFETIME, MAIL_EVERY } from '../licensing/verifications.ts';
import type { Mailer } from '../mail/mailer.ts';
import { alreadyLicensedMessage, codeMessage, licenseMessage } from '../mail/messages.ts';
import type { Attempts } from './attempts.ts';
import { refuse, type Refusal } from './errors.ts';
import { answerRefusal, jsonBody, onlyMethod, validated } from './json-endpoint.ts';
import { customerOf } from './licenses.ts';
import { requestState } from './request-state.ts';

export interface SignUpParts {
  signUp: SignUp;
  /** Undefined: no mail can be sent. */
  mailer: Mailer | undefined;
  attempts: Attempts;
  /** Bounds how many mails one address of the network asks for. */
  mailLimit: RequestHandler;
  tiers: () => Tiers;
}

const email = z.string().trim().pipe(z.email().max(254));
const initRequest = z.object({ email, tier: z.string().min(1).max(100).nullish() });
/** Where no code is asked for there may be none. One of another form is merely wrong. */
const verifyRequest = z.object({ email, code: z.string().trim().max(32).default('') });

/** `POST /init` and `/verify` (contract §3.4): licenses that customers make themselves. */
export function signUpEndpoints(parts: SignUpParts): Router {
  const router = Router({ caseSensitive: true });
  const { guard } = parts.attempts;
  router.route('/init').post(guard, jsonBody, parts.mailLimit, init(parts)).all(onlyMethod('POST'));
  router.route('/verify').post(guard, jsonBody, verify(parts)).all(onlyMethod('POST'));
  return router;
}

function init({ signUp, mailer }: SignUpParts): RequestHandler {
  return async (req, res) => {
    const { email: address, tier: tierId } = validated(initRequest, req.body);
    const offered = signUp.offered(tierId ?? undefined);
    if (offered !== undefined && signUp.needsCode(offered) && mailer === undefined) {
      answerRefusal(res, refuse('mail_not_configured'));
      return;
    }
    const begun = await signUp.begin(address, tierId ?? undefined);
    if (!begun.begun) {
      answerRefusal(res, notOffered(begun.tier));
      return;
    }
    const { tier, needsCode, notice } = begun;
    // One answer for all addresses. The mail is on its way only after it, so that its time tells nothing either.
    res.json({
      success: true,
      message: needsCode
        ? 'A mail is on its way to this address: send its code to POST /verify'
        : 'No code is needed: go on with POST /verify',
      tier: tier.id,
      verification_required: needsCode,
      expires_in: CODE_LIFETIME / 1_000,
      resend_after: MAIL_EVERY / 1_000,
    });
    if (notice !== undefined) mailer?.send(noticeMessage(address, tier, notice));
  };
}

function noticeMessage(to: string, tier: Tier, notice: Notice): ReturnType<typeof codeMessage> {
  return notice.about === 'code'
    ? codeMessage(to, { code: notice.code, tier: tier.name, minutes: CODE_LIFETIME / 60_000 })
    : alreadyLicensedMessage(to, { tier: tier.name, keyPrefix: notice.license.keyPrefix });
}

function verify({ signUp, mailer, attempts, tiers }: SignUpParts): RequestHandler {
  return async (req, res) => {
    const { email: address, code } = validated(verifyRequest, req.body);
    const finished = await signUp.finish(address, code, customerOf(req, res));
    if (!finished.finished) {
      const isOffered = finished.refusal !== 'sign_up_not_offered';
      answerRefusal(
        res,
        isOffered ? await attempts.failed(req, finished.refusal) : notOffered(finished.tier),
      );
      return;
    }
    const { license, licenseKey, tier } = finished;
    requestState(res).license = license.id;
    const limits = effectiveLimits(license, tiers());
    res.json({
      success: true,
      license_key: licenseKey,
      tier: license.tier,
      expires_at: license.expiresAt?.toISOString() ?? null,
      daily_limit: limits.daily,
      monthly_limit: limits.monthly,
    });
    mailer?.send(keyMessage(address, { license, licenseKey, tier, limits }));
  };
}

function keyMessage(
  to: string,
  made: { license: License; licenseKey: string; tier: Tier; limits: { daily: number; monthly: number } },
): ReturnType<typeof licenseMessage> {
  const amount = (limit: number): string => (limit === UNLIMITED ? 'unlimited' : String(limit));
  return licenseMessage(to, {
    key: made.licenseKey,
    tier: made.tier.name,
    expires: made.license.expiresAt?.toISOString().slice(0, 10),
    daily: amount(made.limits.daily),
    monthly: amount(made.limits.monthly),
  });
}

function notOffered(tier: string): Refusal {
  return refuse('sign_up_not_offered', {
    tier: tier === '' ? 'any tier at the moment' : `the tier "${tier}"`,
  });
}
