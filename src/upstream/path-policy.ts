import type { Provider } from './providers.ts';
import { withoutKeys } from '../key-forms.ts';

/** A request target under `/proxy/`, taken apart. */
export interface ProxyTarget {
  /** As it stands in the URL; not checked. */
  readonly provider: string;
  /** As it stands in the URL, from the slash behind the provider; '' where there is none. */
  readonly path: string;
  /** With its question mark; '' where there is none. */
  readonly query: string;
}

/**
 * A request target without the host of an absolute-form one, which is ignored: RFC 9112 §3.2.2 tells a server to accept
 * the form, and where a request goes, the settings alone decide.
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  return path.startsWith('/') || path === '*' ? path : `/${path}`;
}

/** Takes a request target apart. */
export function parseProxyTarget(target: string): ProxyTarget | undefined {
  const origin = originForm(target);
  const queryAt = origin.indexOf('?');
  const wholePath = queryAt < 0 ? origin : origin.slice(0, queryAt);
  const query = queryAt < 0 ? '' : origin.slice(queryAt);
  if (!wholePath.startsWith('/proxy/')) return undefined;
  const rest = wholePath.slice('/proxy/'.length);
  const slash = rest.indexOf('/');
  if (slash < 0) return { provider: rest, path: '', query };
  return { provider: rest.slice(0, slash), path: rest.slice(slash), query };
}

/** A model's id as providers make them: `gpt-4o`, `ft:gpt-4o:acme::7p4l`, `claude-3-haiku-20240307`. */
const MODEL_ID = /^(?!\.{1,2}$)[\w.:@~-]+$/;

/** What a path may be made of before it is looked at further: printable ASCII, percent-encoding well formed. */
const WELL_FORMED = /^(?:[\x21-\x24\x26-\x5b\x5d-\x7e]|%[0-9a-f]{2})*$/i;
/** Encoded slash, backslash, control characters, DEL, and everything beyond ASCII. */
const REFUSED_ENCODING = /%(?:2f|5c|[01][0-9a-f]|7f|[89a-f][0-9a-f])/i;

/**
 * The path to ask the provider for, or undefined where a proxy key may not call it. It is matched after one decoding;
 * what comes back is the decoded path, so that the provider has nothing left to decode differently.
 */
export function allowedPath(provider: Provider, method: string, path: string): string | undefined {
  if (path === '' || path === '/') return method === 'POST' ? provider.defaultPath : undefined;
  if (!WELL_FORMED.test(path) || REFUSED_ENCODING.test(path)) return undefined;
  const decoded = path.includes('%') ? decodeURIComponent(path) : path;
  if (decoded.includes('..') || withoutKeys(decoded) !== decoded) return undefined;
  if (method === 'POST') return provider.allowed.POST.has(decoded) ? decoded : undefined;
  if (method !== 'GET') return undefined;
  if (provider.allowed.GET.has(decoded)) return decoded;
  const slash = decoded.lastIndexOf('/');
  const isOneOfThem =
    provider.allowed.GET.has(decoded.slice(0, slash)) && MODEL_ID.test(decoded.slice(slash + 1));
  return isOneOfThem ? decoded : undefined;
}
