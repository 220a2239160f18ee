import type { Keys } from './keys.ts';
import type { Transport } from './transport.ts';

/**
 * A `fetch` for the official SDKs: puts this device's key where the SDK has put one, notes the quota, and renews a key that
 * is refused, once. Their own retries, time-outs and errors stay as they are.
 */
export function sdkFetch(transport: Transport, keys: Keys): typeof fetch {
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = input instanceof Request ? input.url : input.toString();
    if (!url.startsWith(`${transport.url}/proxy/`)) return transport.passOn(input, init);
    const signal = init?.signal ?? request?.signal;
    const given = new Headers(init?.headers ?? request?.headers);
    const send = (key: string): Promise<Response> =>
      transport.passOn(input, { ...init, headers: withKey(given, key), redirect: 'manual' });
    const kept = await keys.current(signal);
    const response = await send(kept.proxy_key);
    // A body that is a stream is gone once it was sent: then the SDK is told of the 401.
    if (response.status !== 401 || request !== undefined || !isRepeatable(init?.body)) return response;
    await response.body?.cancel();
    return send((await keys.renew(kept.proxy_key, signal)).proxy_key);
  };
}

function withKey(given: Headers, key: string): Headers {
  const headers = new Headers(given);
  if (headers.has('x-api-key')) headers.set('x-api-key', key);
  else headers.set('authorization', `Bearer ${key}`);
  return headers;
}

function isRepeatable(body: RequestInit['body']): boolean {
  if (body == null || typeof body === 'string') return true;
  return (
    [ArrayBuffer, Blob, FormData, URLSearchParams].some((type) => body instanceof type) ||
    ArrayBuffer.isView(body)
  );
}
