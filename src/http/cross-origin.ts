import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';

/** What a page may read of an answer besides its body: what the SDKs and our clients act on. */
const exposed = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Retry-After',
  // Without it an SDK in a browser tries again what cannot succeed today.
  'X-Should-Retry',
  'X-Licensify-Request-Id',
  // The providers' own ids, which the SDKs hand on: OpenAI's, then Anthropic's.
  'X-Request-Id',
  'Request-Id',
  // A client that signs measures its clock by it.
  'Date',
];

/**
 * CORS for the listed origins, on the license and proxy endpoints. Browsers of other origins get none of these headers,
 * preflights included: for them there is no such API; nor is there, for any, an admin API.
 */
export function crossOrigin(
  origins: readonly string[],
): (req: IncomingMessage, res: ServerResponse, next: () => void) => void {
  const listed = new Set(origins);
  const answer = cors({ origin: [...origins], exposedHeaders: exposed, maxAge: 600 });
  return (req, res, next) => {
    if (listed.has(req.headers.origin ?? '') && !/^\/admin(?:[/?]|$)/.test(req.url ?? '')) {
      answer(req, res, next);
      return;
    }
    // A cache must not give this answer to an origin that is listed.
    res.setHeader('Vary', 'Origin');
    next();
  };
}
