import type { Reply } from './reply.ts';

/** A simulated 3xx; 304 has neither a location nor a body. */
export function redirect(status: number, location = 'https://elsewhere.example/v1/redirected'): Reply {
  if (status === 304) return { status, headers: [], body: Buffer.alloc(0) };
  return {
    status,
    headers: ['Location', location, 'Content-Type', 'text/html'],
    body: Buffer.from('<html><body>Moved</body></html>\n'),
  };
}
