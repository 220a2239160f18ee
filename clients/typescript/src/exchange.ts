import type { KeptActivation } from './activation.ts';
import { refusalOf } from './answers.ts';
import type { Keys } from './keys.ts';
import type { Signer } from './signer.ts';

/** A request that can be made again with another key or another signature. */
export interface Exchange {
  signal: AbortSignal | undefined;
  /** Makes the request with a key; called anew for each attempt. */
  send: (kept: KeptActivation) => Promise<Response>;
  /** Whether what was sent can be sent again. */
  isRepeatable: () => boolean;
}

type Remedy = 'another key' | 'the right time' | 'a signature';

/**
 * The answer to a request, each remedy for a refusal having been tried once: a key that is refused is renewed; a signature
 * that is refused never costs the key, but is made again where the clock was off, or where there was none yet.
 */
export async function exchange(
  keys: Keys,
  signer: Signer,
  { signal, send, isRepeatable }: Exchange,
): Promise<Response> {
  let kept = await keys.current(signal);
  const tried = new Set<Remedy>();
  for (;;) {
    const { offset } = signer;
    const response = await send(kept);
    const remedy = await remedyFor(response, { signer, kept, offset });
    if (remedy === undefined || tried.has(remedy)) return response;
    tried.add(remedy);
    if (remedy === 'a signature') kept = await keys.stamped(kept);
    if (!isRepeatable()) return response;
    await response.body?.cancel();
    if (remedy === 'another key') kept = await keys.renew(kept.proxy_key, signal);
  }
}

async function remedyFor(
  response: Response,
  { signer, kept, offset }: { signer: Signer; kept: KeptActivation; offset: number },
): Promise<Remedy | undefined> {
  const { status, headers } = response;
  if (status !== 401 && status !== 403) return undefined;
  const code = refusalOf(
    status,
    await response
      .clone()
      .text()
      .catch(() => ''),
  );
  const { mode } = signer;
  if (code === 'public_key_required') {
    return mode === 'auto' || mode === 'ed25519' ? 'another key' : undefined;
  }
  // Only the gateway answers 401: a provider's is 502 to us.
  if (code !== 'invalid_signature') return status === 401 ? 'another key' : undefined;
  const kind = signer.kindFor(kept);
  if (kind === undefined) return mode === 'auto' ? 'a signature' : undefined;
  return signer.correct(headers, offset) ? 'the right time' : undefined;
}
