import type { IncomingMessage, ServerResponse } from 'node:http';
import { effectiveLimits, type EffectiveLimits } from '../licensing/license.ts';
import type { OpenStreams } from '../licensing/open-streams.ts';
import type { Authentication, Session, Sessions } from '../licensing/sessions.ts';
import type { Admission, Decision, Ticket, Used } from '../quota/admission.ts';
import { endOfDay, endOfMonthOfDay } from '../quota/windows.ts';
import { headersForProvider, queryForProvider } from '../upstream/header-policy.ts';
import { BODY_TOO_LARGE } from '../upstream/body-watch.ts';
import { isUnavailable } from '../stores/database.ts';
import type { KeyRing } from '../upstream/key-ring.ts';
import type { KeyInForce } from '../upstream/provider-keys.ts';
import type { Provider } from '../upstream/providers.ts';
import { cutOff, type Outcome, type Relay } from '../upstream/relay.ts';
import { refuse, type Refusal } from './errors.ts';
import { answerRefusal } from './json-endpoint.ts';
import { demandOnCall, prove, type ProofParts } from './prove.ts';
import { keyInBody, readCall, type ProxyCall } from './read-call.ts';
import { rateLimitHeaders } from './rate-limit-headers.ts';
import { REQUEST_ID, requestState, type RequestState } from './request-state.ts';

export interface ProxyParts extends ProofParts {
  sessions: Sessions;
  streams: OpenStreams;
  admission: Admission;
  relay: Relay;
  keys: Pick<KeyRing, 'get' | 'refused'>;
  baseUrls: Record<Provider['name'], URL>;
  /** Told of each decision on whether a request may go. */
  decided: (license: Session['license'], limits: EffectiveLimits, decision: Decision) => void;
}

/** A request whose key is known. */
interface Authenticated {
  call: ProxyCall;
  auth: Extract<Authentication, { known: true }>;
  limits: EffectiveLimits;
  state: RequestState;
}

/** `/proxy/{provider}/{api_path}`: the life of a request, in six steps. */
export function proxy(parts: ProxyParts): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  return async (req, res) => {
    const state = requestState(res);
    // 1. Read the call.
    const read = await readCall(req, req.url ?? '', parts.maxBodyBytes);
    if (!read.ok) {
      if (read.refusal === undefined) {
        state.end('client_gone');
        return;
      }
      state.provider = read.provider;
      state.shape = read.shape;
      answerRefusal(res, read.refusal);
      return;
    }
    const { call } = read;
    state.provider = call.provider.name;
    state.shape = call.shape;
    state.path = call.path;
    state.model = call.model;
    // 2. Authenticate: the key's session, from memory nearly always.
    const authenticated = state.trace?.step('authenticate');
    const auth = await parts.sessions.authenticate(call.proxyKey);
    authenticated?.();
    if (!auth.known) {
      answerRefusal(res, refuse('invalid_proxy_key'));
      return;
    }
    const { license, deviceId } = auth.session;
    state.license = license.id;
    state.device = deviceId;
    state.tier = license.tier;
    // From here on a revocation cuts the request off, whatever it is waiting for.
    const unwatch = parts.streams.watch(auth.session, () => {
      state.end('revoked');
      cutOff(res);
    });
    try {
      const limits = effectiveLimits(license, parts.tiers());
      await serve(parts, req, res, { call, auth, limits, state });
    } finally {
      unwatch();
    }
  };
}

async function serve(
  parts: ProxyParts,
  req: IncomingMessage,
  res: ServerResponse,
  who: Authenticated,
): Promise<void> {
  const { call, auth, limits, state } = who;
  const { license } = auth.session;
  const key = parts.keys.get(call.provider.name);
  const refusal = refusalBeforeQuota(who, key);
  if (refusal !== undefined || key === undefined) {
    await setCountsOf(parts, res, license.id, limits);
    answerRefusal(res, refusal ?? refuse('internal_error'));
    return;
  }
  // 3. Prove: what the tier or the device wants to be signed, which is nothing nearly always.
  const demand = demandOnCall(parts, req, call, auth.session);
  if (demand === undefined) {
    await serveAdmitted(parts, req, res, { who, key });
    return;
  }
  const proved = await prove(parts, { req, call, demand, alone: limits.outageAllowance > 0 });
  if (proved.ok) {
    await serveAdmitted(parts, req, res, { who: { ...who, call: proved.call }, key });
  } else if (proved.refusal === undefined) {
    state.end('client_gone');
  } else {
    state.error = proved.cause;
    answerRefusal(res, proved.refusal);
  }
}

async function serveAdmitted(
  parts: ProxyParts,
  req: IncomingMessage,
  res: ServerResponse,
  { who, key }: { who: Authenticated; key: KeyInForce },
): Promise<void> {
  const { call, auth, limits, state } = who;
  const { license, deviceId } = auth.session;
  const { name } = call.provider;
  // 4. Admit: counted in the day and in the month, or in neither.
  const counted = { licenseId: license.id, deviceId, provider: name, model: call.model };
  const decided = state.trace?.step('admit');
  const decision = await parts.admission.admit(counted, limits);
  decided?.({ 'licensify.decision': decision.outcome });
  parts.decided(license, limits, decision);
  if (decision.outcome !== 'admitted') {
    const known = decision.outcome === 'refused' ? decision.used : undefined;
    if (decision.outcome === 'unavailable') state.error = decision.cause;
    setHeaders(res, rateLimitHeaders(limits, known, parts.clock.now()));
    answerRefusal(res, quotaRefusal(decision, limits, parts.clock.now()));
    return;
  }
  const { ticket, used } = decision;
  state.used = used?.today;
  state.limit = limits.daily;
  // 5. Relay, and 6. settle: before an answer that is not charged, since the client may try again at once.
  const settle = settlement(parts, ticket, call, state);
  // It may have been replaced while the request was counted.
  const realKey = parts.keys.get(name) ?? key;
  const outcome = await relayTo(parts, req, res, { who, key: realKey, used, settle });
  if (outcome.kind === 'provider-auth-failed') parts.keys.refused(name, realKey);
  await settle(outcome.refund);
  if (outcome.kind === 'answered') {
    state.end(outcome.complete ? 'ok' : 'cut_short');
    return;
  }
  if (outcome.kind === 'client-gone') {
    state.end('client_gone');
    return;
  }
  const usedInTheEnd = outcome.refund ? lessOne(used) : used;
  setHeaders(res, rateLimitHeaders(limits, usedInTheEnd, parts.clock.now()));
  state.error = outcome.error;
  answerRefusal(res, upstreamRefusal(outcome, call.provider, parts.maxBodyBytes));
}

/** What can be refused without asking the counters, in the contract's order: license, device, provider. */
function refusalBeforeQuota(
  { call, auth: { session, status }, limits }: Authenticated,
  key: KeyInForce | undefined,
): Refusal | undefined {
  if (status === 'suspended') return refuse('license_suspended');
  if (status === 'expired') return refuse('license_expired');
  if (limits.isTierMissing) return refuse('tier_not_configured');
  if (call.hardwareId !== undefined && call.hardwareId !== session.hardwareId)
    return refuse('hardware_not_activated');
  if (key === undefined) return refuse('provider_not_configured', { provider: call.provider.label });
  return undefined;
}

function quotaRefusal(
  decision: Exclude<Decision, { outcome: 'admitted' }>,
  limits: EffectiveLimits,
  now: number,
): Refusal {
  if (decision.outcome === 'unavailable') {
    // Counters that Redis lacks are read from the database: it may be that which is away.
    return refuse(isUnavailable(decision.cause) ? 'database_unavailable' : 'counters_unavailable');
  }
  const { exceeded, used } = decision;
  const seconds = (end: number): number => Math.max(1, Math.ceil((end - now) / 1_000));
  return exceeded === 'day'
    ? refuse('rate_limit_exceeded', { limit: limits.daily, used: used.today }, seconds(endOfDay(used.day)))
    : refuse(
        'monthly_limit_exceeded',
        { limit: limits.monthly, used: used.thisMonth },
        seconds(endOfMonthOfDay(used.day)),
      );
}

function upstreamRefusal(
  outcome: Exclude<Outcome, { kind: 'answered' | 'client-gone' }>,
  { label }: Provider,
  maxBodyBytes: number,
): Refusal {
  switch (outcome.kind) {
    case 'provider-auth-failed':
      return refuse('provider_auth_failed', { provider: label });
    case 'unreachable':
      return refuse('upstream_unreachable', { provider: label });
    case 'timeout':
      return refuse('upstream_timeout', { provider: label });
    case 'body-refused':
      return outcome.objection === BODY_TOO_LARGE
        ? refuse('body_too_large', { max: maxBodyBytes })
        : keyInBody();
  }
}

function relayTo(
  parts: ProxyParts,
  req: IncomingMessage,
  res: ServerResponse,
  { who, key, used, settle }: { who: Authenticated; key: KeyInForce; used: Used | undefined; settle: Settle },
): Promise<Outcome> {
  const { call, limits, state } = who;
  const base = parts.baseUrls[call.provider.name];
  const headers = headersForProvider(req, {
    provider: call.provider,
    realKey: key.value,
    keys: call.keys,
    contentType: call.envelope && 'application/json',
  });
  const { path, model } = call;
  state.trace?.upstream(
    { provider: call.provider.name, path, method: req.method ?? '', model, base },
    headers,
  );
  let counted = used;
  state.upstreamStart = performance.now();
  state.waited = call.waited;
  call.watch?.begin(req);
  return parts.relay.pass({
    req,
    res,
    base,
    path: base.pathname.replace(/\/$/, '') + call.path + queryForProvider(call.query, call.keys),
    headers,
    body: call.body,
    guard: call.watch,
    times: state,
    addOwnHeaders: (own) => {
      const counts = rateLimitHeaders(limits, counted, parts.clock.now());
      for (const name in counts) own.push(name, counts[name] ?? '');
      own.push(REQUEST_ID, state.id);
    },
    giveBack: async () => {
      counted = lessOne(used);
      await settle(true);
    },
  });
}

type Settle = (refund: boolean) => Promise<void>;

/** Books what became of an admitted request, once. */
function settlement(parts: ProxyParts, ticket: Ticket, call: ProxyCall, state: RequestState): Settle {
  let settled = false;
  return async (refund) => {
    if (settled) return;
    settled = true;
    const model = call.watch?.model ?? '';
    if (model !== '') state.model = model;
    const late = model === '' || model === call.model ? undefined : model;
    if (!refund && late === undefined) return;
    try {
      await parts.admission.settle(ticket, { refund, model: late });
    } catch (error) {
      // The request stays counted: the error is towards fewer.
      state.settleError = error;
    }
  };
}

/** The counts of a request that is refused before it is counted. */
async function setCountsOf(
  { admission, clock }: ProxyParts,
  res: ServerResponse,
  licenseId: string,
  limits: EffectiveLimits,
): Promise<void> {
  const used = await admission.used(licenseId).catch(() => undefined);
  setHeaders(res, rateLimitHeaders(limits, used, clock.now()));
}

function setHeaders(res: ServerResponse, headers: Record<string, string>): void {
  if (res.headersSent) return;
  for (const name in headers) res.setHeader(name, headers[name] ?? '');
}

function lessOne(used: Used | undefined): Used | undefined {
  return used && { ...used, today: used.today - 1, thisMonth: used.thisMonth - 1 };
}
