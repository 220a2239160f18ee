import type { IncomingMessage } from 'node:http';
import type { Clock } from '../clock.ts';
import { digestProblem } from '../licensing/proofs/content-digest.ts';
import { demandOn, type Demand } from '../licensing/proofs/demand.ts';
import type { DeviceKey } from '../licensing/proofs/device-key.ts';
import { stampProblem, verifyStamp, type Stamp } from '../licensing/proofs/hmac-signature.ts';
import { verifyMessage } from '../licensing/proofs/message-signature.ts';
import type { Replays } from '../licensing/proofs/replays.ts';
import { bad, type Verdict } from '../licensing/proofs/verdict.ts';
import type { Session } from '../licensing/sessions.ts';
import type { Tiers } from '../licensing/tiers.ts';
import { lengthOf, type Pieces } from '../pieces.ts';
import { announcesBody, readBody } from '../upstream/body-watch.ts';
import { modelOf } from '../upstream/model.ts';
import { refuse, type Refusal } from './errors.ts';
import { keyInBody, type ProxyCall } from './read-call.ts';

const SIGNATURE_HEADER = 'x-licensify-signature';

export interface ProofParts {
  clock: Clock;
  tiers: () => Tiers;
  replays: Replays;
  /** REQUIRE_SIGNATURE. */
  requireSignature: boolean;
  maxBodyBytes: number;
}

export type Proved =
  /** The call with its body, which has been read. */
  | { ok: true; call: ProxyCall }
  /** `cause` is for the log. */
  | { ok: false; refusal: Refusal; cause?: unknown }
  /** The client left before its request was complete. */
  | { ok: false; refusal: undefined };

/** What a request has to prove; undefined nearly always. */
export function demandOnCall(
  parts: ProofParts,
  req: IncomingMessage,
  call: ProxyCall,
  session: Session,
): Demand | undefined {
  const { envelope } = call;
  const stamped = envelope === undefined ? SIGNATURE_HEADER in req.headers : envelope.signature !== undefined;
  const tier = parts.tiers().get(session.license.tier);
  return demandOn(session, tier, { everywhere: parts.requireSignature, stamped });
}

/**
 * Verifies what a request has to prove, and that it proves it for the first time. What is proven covers the whole body, so
 * that is read before anything goes to the provider, and never piped; only after all that can be said without it.
 * @param alone whether a signature may be accepted on this instance's own word while Redis is away
 */
export async function prove(
  parts: ProofParts,
  request: { req: IncomingMessage; call: ProxyCall; demand: Demand; alone: boolean },
): Promise<Proved> {
  const { req, call, demand, alone } = request;
  if (demand.kind === 'no-key') return { ok: false, refusal: refuse('public_key_required') };
  const now = parts.clock.now();
  const early = demand.kind === 'ed25519' ? await verifyHead(req, demand.key, now) : undefined;
  const problem = early === undefined ? stampProblem(stampOf(req, call), now) : problemOf(early);
  if (problem !== undefined) return invalid(problem);

  const asked = performance.now();
  const body = await bodyAsSent(req, call, parts.maxBodyBytes);
  call.waited += performance.now() - asked;
  if (body === undefined) return { ok: false, refusal: undefined };
  if (body === 'too-large')
    return { ok: false, refusal: refuse('body_too_large', { max: parts.maxBodyBytes }) };
  const verdict =
    early === undefined ? await verifyHmac(req, call, body, now) : await covering(early, req, body);
  if (!verdict.ok) return invalid(verdict.problem);

  try {
    if (!(await parts.replays.isFirst(verdict.signature, verdict.acceptableUntil, alone)))
      return invalid('It has been used before: every request, a retry too, needs one of its own');
  } catch (cause) {
    return { ok: false, refusal: refuse('counters_unavailable'), cause };
  }
  return call.body === undefined ? withBody(call, body, req) : { ok: true, call };
}

function stampOf({ headers }: IncomingMessage, { envelope }: ProxyCall): Stamp {
  if (envelope !== undefined) return envelope;
  const text = (name: string): string | undefined => headers[name]?.toString();
  return { timestamp: text('x-licensify-timestamp'), signature: text(SIGNATURE_HEADER) };
}

function verifyHead(req: IncomingMessage, key: DeviceKey, now: number): Promise<Verdict> {
  const { method = '', url: target = '', rawHeaders } = req;
  const head = { method, target, host: req.headers.host, rawHeaders };
  return verifyMessage(head, { key, hasBody: announcesBody(req), now });
}

/** A head that is signed, with the body that its digest is of. */
async function covering(verdict: Verdict, req: IncomingMessage, body: Pieces): Promise<Verdict> {
  const digest = req.headers['content-digest']?.toString();
  // A digest without a body is one whose body was taken away.
  if (digest === undefined && !announcesBody(req)) return verdict;
  const problem = await digestProblem(digest ?? '', body);
  return problem === undefined ? verdict : bad(problem);
}

function verifyHmac(req: IncomingMessage, call: ProxyCall, sent: Pieces, now: number): Promise<Verdict> {
  const body = call.envelope === undefined ? sent : (call.body ?? sent);
  const { provider, proxyKey } = call;
  return verifyStamp({ stamp: stampOf(req, call), provider: provider.name, proxyKey, body }, now);
}

function bodyAsSent(
  req: IncomingMessage,
  { envelope, body }: ProxyCall,
  maxBodyBytes: number,
): Promise<Pieces | 'too-large' | undefined> {
  const read = envelope?.raw ?? body;
  if (read !== undefined) return Promise.resolve(read);
  return announcesBody(req) ? readBody(req, maxBodyBytes) : Promise.resolve([]);
}

/** A drop-in call whose body is not piped any more: what its watch would have done is done here. */
async function withBody(call: ProxyCall, body: Pieces, req: IncomingMessage): Promise<Proved> {
  if (lengthOf(body) === 0) return { ok: true, call };
  if (call.keys.inPieces(body)) return { ok: false, refusal: keyInBody() };
  const model = await modelOf(body, req.headers);
  return { ok: true, call: { ...call, body, watch: undefined, model } };
}

function problemOf(verdict: Verdict): string | undefined {
  return verdict.ok ? undefined : verdict.problem;
}

function invalid(problem: string): Proved {
  return { ok: false, refusal: refuse('invalid_signature', { problem }) };
}
