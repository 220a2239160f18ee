import { createHmac, timingSafeEqual } from 'node:crypto';
import { inTurns } from '../../in-turns.ts';
import type { Pieces } from '../../pieces.ts';
import { bad, timeProblem, TOLERANCE, type Verdict } from './verdict.ts';

/** Unix seconds; a fraction tells requests of the same second apart. */
const TIMESTAMP = /^\d{1,15}(?:\.\d{1,9})?$/;
const SIGNATURE = /^[0-9a-f]{64}$/i;

/** What a client sends beside its request; each undefined where it is missing. */
export interface Stamp {
  timestamp: string | undefined;
  signature: string | undefined;
}

export interface StampedRequest {
  stamp: Stamp;
  provider: string;
  proxyKey: string;
  body: Pieces;
}

/** What can be said against a stamp before its body has been read. */
export function stampProblem({ timestamp, signature }: Stamp, now: number): string | undefined {
  if (signature === undefined) return 'The request has to be signed, and the signature is missing';
  if (timestamp === undefined) return 'The timestamp is missing that the signature is made with';
  if (!TIMESTAMP.test(timestamp))
    return 'The timestamp must be Unix seconds in decimal digits, such as 1764108632.318';
  if (!SIGNATURE.test(signature)) return 'The signature must be an HMAC-SHA-256 in 64 hexadecimal digits';
  return timeProblem(Number(timestamp), now);
}

/** Verifies an HMAC-SHA-256 over timestamp, provider and body under the proxy key (docs/signing.md). */
export async function verifyStamp(request: StampedRequest, now: number): Promise<Verdict> {
  const { stamp, provider, proxyKey, body } = request;
  const problem = stampProblem(stamp, now);
  if (problem !== undefined) return bad(problem);
  const { timestamp = '', signature = '' } = stamp;
  const hmac = createHmac('sha256', proxyKey).update(timestamp).update(provider);
  await inTurns(body, (piece) => hmac.update(piece));
  const expected = hmac.digest();
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex')))
    return bad('It does not match the timestamp, the provider and the body under this proxy key');
  return { ok: true, signature: expected, acceptableUntil: Number(timestamp) * 1_000 + TOLERANCE };
}
