import { verify } from 'node:crypto';
import {
  isSignatureError,
  SignatureErrorCode,
  verifySignature,
  type FieldOccurrence,
  type SignatureError,
  type UntrustedSignatureCandidate,
} from 'http-message-sig';
import type { DeviceKey } from './device-key.ts';
import { bad, timeProblem, TOLERANCE, type Verdict } from './verdict.ts';

/** The head of a request, as it was sent. */
export interface RequestHead {
  method: string;
  /** Path and query, beginning with a slash. */
  target: string;
  host: string | undefined;
  /** Names and values in turns, as Node has them. */
  rawHeaders: readonly string[];
}

/** Said of a signature by ourselves, in the course of the library's work. */
class Objection extends Error {
  override readonly name = 'Objection';
}

/** Our own checks of time are stricter, and say what the server's time is. */
const ANY_SKEW = Number.MAX_SAFE_INTEGER;

/**
 * Verifies the HTTP message signature (RFC 9421) of a request under a device's key. It has to cover all that decides what
 * the request does: method, path, query, and the digest of the body, which is for the caller to compare with the body.
 * @param now milliseconds since 1970
 */
export async function verifyMessage(
  head: RequestHead,
  options: { key: DeviceKey; hasBody: boolean; now: number },
): Promise<Verdict> {
  const { key, hasBody, now } = options;
  try {
    const verified = await verifySignature(describe(head), {
      policy: {
        algorithms: ['ed25519'],
        requiredComponents: requiredComponents(head, hasBody),
        requiredParameters: ['created', 'keyid'],
        clockSkew: ANY_SKEW,
        now: Math.floor(now / 1_000),
      },
      resolveVerifier(candidate) {
        const problem = parameterProblem(candidate, key, now);
        if (problem !== undefined) throw new Objection(problem);
        return { algorithm: 'ed25519', verify: (base, signature) => verify(null, base, key.key, signature) };
      },
    });
    const { created = 0, expires = Infinity } = verified.parameters;
    const acceptableUntil = Math.min(created * 1_000 + TOLERANCE, expires * 1_000);
    return { ok: true, signature: Buffer.from(verified.signature), acceptableUntil };
  } catch (error) {
    if (isSignatureError(error)) return bad(sentenceOf(error));
    throw error;
  }
}

function requiredComponents({ target }: RequestHead, hasBody: boolean): string[] {
  return [
    '@method',
    '@path',
    ...(target.includes('?') ? ['@query'] : []),
    ...(hasBody ? ['content-digest'] : []),
  ];
}

function describe({
  method,
  target,
  host = '',
  rawHeaders,
}: RequestHead): Parameters<typeof verifySignature>[0] {
  // The library cuts path and query out of the whole URI, so nothing of them may come in by way of the Host header.
  const authority = /^[\w.-]+(?::\d+)?$|^\[[\da-f:.]+\](?::\d+)?$/i.test(host) ? host : 'host.invalid';
  return { kind: 'request', method, targetUri: `http://${authority}${target}`, fields: fieldsOf(rawHeaders) };
}

/** A field that is not ASCII cannot be covered (RFC 9421 §2.1), but is no obstacle to those that can. */
function fieldsOf(rawHeaders: readonly string[]): FieldOccurrence[] {
  const fields: FieldOccurrence[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (/^[\t\x20-\x7e]*$/.test(value)) fields.push({ name, value });
  }
  return fields;
}

/** What is wrong with the parameters of a signature that has not been verified yet. */
function parameterProblem(
  { parameters, signature }: UntrustedSignatureCandidate,
  key: DeviceKey,
  now: number,
): string | undefined {
  if (parameters.keyid !== key.id)
    return 'Its keyid is not the public key that this proxy key is bound to, in base64url without padding';
  if (signature.length !== 64) return 'An Ed25519 signature has 64 bytes';
  const { created, expires } = parameters;
  if (expires !== undefined && expires * 1_000 <= now)
    return `It expired at ${expires}; the server's time is ${Math.floor(now / 1_000)}`;
  return created === undefined ? 'Its parameter created is missing' : timeProblem(created, now);
}

function sentenceOf({ code, message, cause }: SignatureError): string {
  if (cause instanceof Objection) return cause.message;
  if (code === SignatureErrorCode.VerificationFailed)
    return 'It does not match what it covers of this request, or was made with another key';
  if (code === SignatureErrorCode.MissingField && message.includes('signature'))
    return 'This proxy key is bound to a device: its requests need the headers Signature-Input and Signature (RFC 9421)';
  if (code === SignatureErrorCode.LabelRequired) return 'There must be exactly one signature';
  return `${message} (RFC 9421)`;
}
