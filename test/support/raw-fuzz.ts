import { absoluteTargets, oddQueries, refusedPaths, refusedTargets } from './raw-paths.ts';
import { CHAT, MESSAGE } from './raw-stage.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What one connection sends. */
export interface FuzzedConnection {
  readonly bytes: Buffer;
  readonly pieces: readonly Buffer[];
  /** The client goes away at once, in place of waiting for the server. */
  readonly aborts: boolean;
}

const paths = [
  '/proxy/openai/v1/chat/completions',
  '/proxy/openai/v1/models',
  '/proxy/openai/v1/models/gpt-4o',
  '/proxy/openai/v1/audio/transcriptions',
  '/proxy/openai',
  '/proxy/anthropic/v1/messages',
  '/proxy/anthropic/v1/messages/count_tokens',
  ...['/activate', '/deactivate', '/check', '/tiers', '/health', '/version', '/', '/admin/v1/licenses'],
  ...[
    '/admin/v1/licenses/lic_1',
    '/admin/v1/licenses/%zz',
    '/admin/v1/licenses/%ff/suspend',
    '/admin/openapi.json',
  ],
  ...['/admin/v1/licenses?limit=a&cursor=%00', '/admin/v1/licenses/lic_1/devices/%00'],
] as const;

/** Headers that leave a request as valid as it was. */
const harmless = [
  'Expect: 100-continue',
  'Expect: anything',
  'Trailer: X-End',
  'Cookie: a=b',
  'Accept: \xe4',
  '__proto__: a',
  'Connection: keep-alive, authorization',
  'X-Forwarded-For: a, b, "',
] as const;

type Call = readonly [target: string, type: string, body: string | undefined];

const methods = [
  'GET',
  'POST',
  'POST',
  'POST',
  'DELETE',
  'PUT',
  'PATCH',
  'HEAD',
  'OPTIONS',
  'CONNECT',
  'TRACE',
] as const;

const fields = [
  'Content-Type: application/json',
  'Content-Type: multipart/form-data; boundary=b',
  'Content-Type: application/json; charset=utf-16',
  'Content-Type: \xff',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Encoding: gzip',
  'Expect: 100-continue',
  'Expect: anything',
  'Connection: close',
  'Connection: upgrade, authorization',
  'Upgrade: h2c',
  'Trailer: X-End',
  'Cookie: a=b',
  'Host: second.test',
  'Accept: \xe4',
  '__proto__: a',
  'X-Forwarded-For: a, b, "',
  'Authorization: Bearer px_',
  'Authorization: Basic %%%',
  'X-Api-Key: px_0',
  'Range: bytes=0-',
  'Origin: null',
  'If-None-Match: *',
] as const;

/** Makes what a broken, careless or hostile client might send. */
export class Fuzzer {
  readonly #random: SeededRandom;
  readonly #credentials: [string, ...string[]];
  readonly #calls: [Call, ...Call[]];

  constructor(random: SeededRandom, { proxyKey, licenseKey }: { proxyKey: string; licenseKey: string }) {
    this.#random = random;
    this.#credentials = [`Authorization: Bearer ${proxyKey}`, `X-Api-Key: ${proxyKey}`];
    const envelope = (provider: string, body: string): string =>
      `{"proxy_key":"${proxyKey}","provider":"${provider}","hardware_id":"hw-test","body":${body}}`;
    const license = `{"license_key":"${licenseKey}","hardware_id":"hw-test"}`;
    const form = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n';
    this.#calls = [
      ['/proxy/openai/v1/models', '', undefined],
      ['/proxy/openai/v1/models/gpt-4o?a=b', '', undefined],
      ['/proxy/openai/v1/chat/completions', 'application/json', CHAT],
      ['/proxy/openai/v1/chat/completions', 'application/json', CHAT.replace('{', '{"stream":true,')],
      ['/proxy/openai/v1/chat/completions', 'application/json', envelope('openai', CHAT)],
      ['/proxy/openai/v1/audio/transcriptions', 'multipart/form-data; boundary=b', form],
      ['/proxy/anthropic/v1/messages', 'application/json', MESSAGE],
      ['/proxy/anthropic', 'application/json', envelope('anthropic', MESSAGE)],
      ['/activate', 'application/json', license],
      ['/check', 'application/json', license],
      ['/check', 'application/json', '{"__proto__":{"a":1},"constructor":{"prototype":{}}}'],
      ['/admin/v1/licenses', 'application/json', '{"tier":"pro"}'],
    ];
  }

  next(): FuzzedConnection {
    const random = this.#random;
    const kind = random.int(10);
    let bytes: Buffer;
    if (kind === 0) bytes = random.bytes(random.int(2_000));
    else if (kind < 3) bytes = this.#damaged(this.#chaos());
    else if (kind < 5) bytes = Buffer.concat([this.#sound(), this.#damaged(this.#sound()), this.#sound()]);
    else if (kind < 6) bytes = Buffer.concat([this.#chaos(), this.#sound()]);
    else bytes = this.#damaged(this.#sound());
    return { bytes, pieces: random.pieces(bytes, 6), aborts: random.chance(0.1) };
  }

  /** A request that is valid but for odd headers. */
  #sound(): Buffer {
    const random = this.#random;
    const [target, type, body] = random.pick(this.#calls);
    const odd = random.chance(0.3) ? [random.pick(harmless)] : [];
    const isGet = body === undefined;
    const lines = [
      `${isGet ? 'GET' : 'POST'} ${target} HTTP/1.1`,
      'Host: gateway.test',
      random.pick(this.#credentials),
    ];
    if (isGet) return Buffer.from([...lines, ...odd, '', ''].join('\r\n'), 'latin1');
    const framing = random.chance(0.3) ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
    const framed = framing.startsWith('T') ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
    return Buffer.from(
      [...lines, `Content-Type: ${type}`, ...odd, framing, '', framed].join('\r\n'),
      'latin1',
    );
  }

  /** Anything that has the look of a request. */
  #chaos(): Buffer {
    const random = this.#random;
    const body = random.pick(this.#calls)[2] ?? '';
    const chunked = random.chance(0.3);
    const lines = [
      `${random.pick(methods)} ${this.#target()} HTTP/1.${random.chance(0.1) ? 0 : 1}`,
      'Host: gateway.test',
      ...(random.chance(0.7) ? [random.pick(this.#credentials)] : []),
      ...Array.from({ length: random.int(4) }, () => random.pick(fields)),
      ...(random.chance(0.1)
        ? []
        : [chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`]),
    ];
    const framed = chunked && body !== '' ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
    return Buffer.from([...lines, '', framed].join('\r\n'), 'latin1');
  }

  #target(): string {
    const random = this.#random;
    const kind = random.int(10);
    if (kind < 6) return random.pick(paths);
    const [first = '', ...others] = random.pick([
      refusedPaths.map((path) => `/proxy/openai${path}`),
      refusedTargets,
      absoluteTargets,
      oddQueries.map((query) => `/proxy/openai/v1/models?${query}`),
    ]);
    return random.pick([first, ...others]);
  }

  /** One to eight changes anywhere. */
  #damaged(original: Buffer): Buffer {
    const random = this.#random;
    let bytes = Buffer.from(original);
    for (let changes = 1 + random.int(8); changes > 0 && bytes.length > 0; changes -= 1) {
      const at = random.int(bytes.length);
      const end = Math.min(bytes.length, at + 1 + random.int(20));
      const [before, cut, after] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
      const noise = Buffer.from(
        random.pick(['\r\n', '\n', '\0', ' ', ':', '\r\n\r\n', '\xff', '%', '"', '{', '0']),
        'latin1',
      );
      const middles: [Buffer[], ...Buffer[][]] = [
        [],
        [noise, cut],
        [noise],
        [cut, cut],
        [random.bytes(cut.length)],
      ];
      const middle = random.pick(middles);
      bytes = Buffer.concat([before, ...middle, after]);
    }
    return bytes;
  }
}
