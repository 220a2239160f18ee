import pg from 'pg';

type Query = (this: pg.Client, ...args: unknown[]) => unknown;

/** Counts what a gateway in this process asks PostgreSQL, over all of its connections. */
export function countQueries(matching: RegExp): { readonly count: number; stop(): void } {
  const prototype = pg.Client.prototype as unknown as { query: Query };
  const original = prototype.query;
  let count = 0;
  prototype.query = function (...args) {
    const [query] = args as [string | { text?: string }];
    if (matching.test(typeof query === 'string' ? query : (query.text ?? ''))) count += 1;
    return original.apply(this, args);
  };
  return {
    get count() {
      return count;
    },
    stop: () => void (prototype.query = original),
  };
}

/** Whatever looks for a license, a device or a key. */
export const LOOK_UP = /"(?:licenses|devices|proxy_keys)"|\b(?:licenses|devices|proxy_keys)\b/;
