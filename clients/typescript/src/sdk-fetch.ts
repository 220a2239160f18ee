import type { KeptActivation } from './activation.ts';
import { exchange } from './exchange.ts';
import type { Keys } from './keys.ts';
import { targetOf, type Signer } from './signer.ts';
import type { Transport } from './transport.ts';

/** A request whose body has been read, since a signature covers the whole of it. */
interface Whole {
  method: string;
  headers: Headers;
  body: Uint8Array<ArrayBuffer>;
}

/**
 * A `fetch` for the official SDKs: puts this device's key where the SDK has put one, notes the quota, renews a key that is
 * refused, once, and signs where that is asked for. Their own retries, time-outs and errors stay as they are.
 */
export function sdkFetch(transport: Transport, keys: Keys, signer: Signer): typeof fetch {
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = input instanceof Request ? input.url : input.toString();
    if (!url.startsWith(`${transport.url}/proxy/`)) return transport.passOn(input, init);
    const signal = init?.signal ?? request?.signal;
    let whole: Promise<Whole> | undefined;
    const send = async (kept: KeptActivation): Promise<Response> => {
      if (signer.kindFor(kept) === undefined) {
        const headers = withKey(new Headers(init?.headers ?? request?.headers), kept.proxy_key);
        return transport.passOn(input, { ...init, headers, redirect: 'manual' });
      }
      const { method, headers: given, body } = await (whole ??= readWhole(input, init));
      const signed = await signer.headers(kept, { method, target: targetOf(url, transport.url), body });
      const headers = withKey(new Headers({ ...Object.fromEntries(given), ...signed }), kept.proxy_key);
      return transport.passOn(url, {
        ...init,
        method,
        headers,
        redirect: 'manual',
        body: body.length === 0 ? null : body,
        ...(signal != null && { signal }),
      });
    };
    // A body that is a stream is gone once it was sent: then the SDK is told of the refusal.
    const isRepeatable = (): boolean =>
      whole !== undefined || (request === undefined && isKeptAfterwards(init?.body));
    return exchange(keys, signer, { signal: signal ?? undefined, send, isRepeatable });
  };
}

async function readWhole(input: string | URL | Request, init: RequestInit | undefined): Promise<Whole> {
  // A stream is taken only with this: https://fetch.spec.whatwg.org/#dom-requestinit-duplex
  const request = new Request(input, { ...init, ...(init?.body != null && { duplex: 'half' }) });
  const { method, headers } = request;
  return { method, headers, body: new Uint8Array(await request.arrayBuffer()) };
}

function withKey(headers: Headers, key: string): Headers {
  if (headers.has('x-api-key')) headers.set('x-api-key', key);
  else headers.set('authorization', `Bearer ${key}`);
  return headers;
}

function isKeptAfterwards(body: RequestInit['body']): boolean {
  if (body == null || typeof body === 'string') return true;
  return (
    [ArrayBuffer, Blob, FormData, URLSearchParams].some((type) => body instanceof type) ||
    ArrayBuffer.isView(body)
  );
}
