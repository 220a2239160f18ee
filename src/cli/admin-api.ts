import { readSecretFile, mask } from '../config-secrets.ts';
import { adminTokenFile, readAdminToken } from './admin-token.ts';
import { environmentOf, sourceOf } from './environment.ts';
import { CommandError, reasonOf, UsageError, type Terminal } from './terminal.ts';

/** Longer than the gateway takes over anything here. Milliseconds. */
const TIMEOUT = 30_000;

interface AdminToken {
  value: string;
  /** For people: where it came from. */
  source: string;
}

/** The running gateway that administration commands speak to. */
export interface RunningGateway {
  readonly url: string;
  /** A call to the admin API; the path goes behind `/admin/v1`. @throws CommandError with the API's own sentence */
  admin(
    method: string,
    path: string,
    body?: object,
    headers?: Readonly<Record<string, string>>,
  ): Promise<unknown>;
  /** A call that needs no token. */
  get(path: string): Promise<unknown>;
}

/** Reads where the gateway is. No token is looked for before a call needs one. */
export function runningGateway(terminal: Terminal): RunningGateway {
  const url = gatewayUrl(terminal);
  return {
    url,
    async admin(method, path, body, headers) {
      const token = adminToken(terminal);
      const answer = await request(`${url}/admin/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token.value}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      if (answer.status === 401) {
        throw new CommandError(
          `The gateway at ${url} refused the admin token ${mask(token.value)}, which came from ${token.source}.`,
        );
      }
      return read(answer, url);
    },
    get: async (path) => read(await request(url + path, {}), url),
  };
}

/** Options as a query: `expiresBefore` is `expires_before`; what was not named is left out. */
export function queryOf(options: Readonly<Record<string, string | number | undefined>>): string {
  const named = Object.entries(options).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), String(value)]],
  );
  return new URLSearchParams(named).toString();
}

function gatewayUrl(terminal: Terminal): string {
  const { LICENSIFY_URL, PORT, HOST } = environmentOf(terminal);
  const url = LICENSIFY_URL ?? `http://${hostFrom(HOST)}:${PORT ?? '8080'}`;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/+$/, '');
  throw new UsageError(
    LICENSIFY_URL !== undefined
      ? `LICENSIFY_URL holds ${JSON.stringify(url)}; it takes a URL such as https://licenses.example.com.`
      : `PORT holds ${JSON.stringify(PORT)}; it takes a whole number from 0 to 65535.`,
  );
}

/** A gateway that listens on all addresses, or on this machine's own, answers on localhost. */
function hostFrom(host: string | undefined): string {
  if (host === undefined || ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function adminToken(terminal: Terminal): AdminToken {
  const { ADMIN_TOKEN, ADMIN_TOKEN_FILE, DATA_DIR: dataDir = './data' } = environmentOf(terminal);
  if (ADMIN_TOKEN !== undefined) {
    const source = sourceOf(terminal, 'ADMIN_TOKEN') === '.env' ? 'ADMIN_TOKEN in .env' : 'ADMIN_TOKEN';
    return { value: ADMIN_TOKEN, source };
  }
  if (ADMIN_TOKEN_FILE !== undefined) return { value: tokenIn(ADMIN_TOKEN_FILE), source: ADMIN_TOKEN_FILE };
  const file = adminTokenFile(dataDir);
  const value = readAdminToken(dataDir);
  if (value !== undefined) return { value, source: file };
  throw new CommandError(
    `There is no admin token: set ADMIN_TOKEN, or run this in the gateway's folder (looked for ${file}).`,
  );
}

function tokenIn(file: string): string {
  try {
    return readSecretFile(file);
  } catch (cause) {
    throw new CommandError(`ADMIN_TOKEN_FILE ${file} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    // A redirect would turn a POST into a GET: a list where something was to be made.
    return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT) });
  } catch (error) {
    throw unreachable(new URL(url), error);
  }
}

function unreachable(url: URL, error: unknown): CommandError {
  // fetch says "fetch failed" itself; what happened is its cause.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ECONNREFUSED') {
    return new CommandError(
      `No gateway answers at ${url.origin}: start one with npm start, or set LICENSIFY_URL.`,
      { cause },
    );
  }
  return new CommandError(
    `The gateway at ${url.origin} cannot be reached: ${reasonOf(cause)}. Is LICENSIFY_URL right?`,
    { cause },
  );
}

/** @throws CommandError with the error's sentence, or that whatever answered is no gateway */
async function read(answer: Response, url: string): Promise<unknown> {
  if (answer.status === 204) return undefined;
  const text = await answer.text();
  const body = parseJson(text);
  if (answer.ok && body !== undefined) return body;
  const sentence = (body as { error?: unknown } | undefined)?.error;
  if (typeof sentence === 'string') throw new CommandError(sentence);
  const location = answer.headers.get('location');
  throw new CommandError(
    location === null
      ? `What answers at ${url} (with status ${answer.status}) is no Licensify gateway: set LICENSIFY_URL.`
      : `${url} redirects to ${location}: set LICENSIFY_URL to where the gateway is.`,
  );
}

function parseJson(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
