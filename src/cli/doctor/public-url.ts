import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { TLSSocket } from 'node:tls';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { reasonOf } from '../terminal.ts';
import { judgeClocks } from './clocks.ts';
import { CHECK_LIMIT, failure, fine, warning, type Finding } from './finding.ts';
import type { Patient } from './patient.ts';

/** Days. */
const RENEW_BEFORE = 14;
const DAY_MS = 86_400_000;
/** An address that nobody has (RFC 5737): whoever takes it for the client's believes what clients say. */
const MADE_UP_ADDRESS = '192.0.2.1';

interface Answer {
  response: IncomingMessage;
  body: string;
  asked: number;
  answered: number;
  /** Of the certificate, milliseconds since 1970; undefined without TLS. */
  validTo: number | undefined;
}

/** What a client sees: through the load balancer, at PUBLIC_URL. */
export async function publicUrlFindings(patient: Patient): Promise<Finding[]> {
  const { publicUrl } = patient.config;
  if (publicUrl === undefined) {
    return [fine('public url', 'PUBLIC_URL is not set: what stands before the gateway is not looked at')];
  }
  let health: Answer;
  try {
    health = await get(new URL('/health', publicUrl));
  } catch (error) {
    const fix =
      'look at the name, the load balancer and its certificate; correct PUBLIC_URL if it is another';
    return [failure('public url', `${publicUrl.origin} cannot be reached: ${reasonOf(error)}`, fix)];
  }
  const { statusCode } = health.response;
  if (statusCode !== 200 || !health.body.includes('"status"')) {
    const fix = 'look at the load balancer: no gateway answers behind it, or something else does';
    return [failure('public url', `${publicUrl.origin}/health answers ${statusCode}`, fix)];
  }
  const findings = [fine('public url', `${publicUrl.origin}/health is answered by a gateway`)];
  findings.push(...tlsFindings(publicUrl, health.response.headers, health.validTo), ...dateFindings(health));
  findings.push(...(await addressFindings(publicUrl, patient)));
  return findings;
}

/** @param validTo the certificate's end, milliseconds since 1970; undefined without TLS */
export function tlsFindings(
  { protocol, hostname }: URL,
  headers: IncomingHttpHeaders,
  validTo: number | undefined,
): Finding[] {
  if (protocol !== 'https:') {
    if (isThisMachine(hostname)) return [];
    const fix = 'have the load balancer speak TLS, and say https:// in PUBLIC_URL';
    return [failure('tls', 'keys are sent over the network in the clear', fix)];
  }
  const findings: Finding[] = [];
  const days = Math.floor(((validTo ?? NaN) - Date.now()) / DAY_MS);
  const found = `the certificate of ${hostname} is trusted, and valid for ${days} days`;
  findings.push(
    days < RENEW_BEFORE
      ? warning('tls', found, 'renew it, and find out why nothing did')
      : fine('tls', found),
  );
  if (headers['strict-transport-security'] === undefined) {
    const fix = 'have the load balancer send Strict-Transport-Security: max-age=31536000';
    findings.push(warning('tls', 'no Strict-Transport-Security (RFC 6797)', fix));
  }
  return findings;
}

/** RFC 9110 §6.6.1: Date has whole seconds. */
function dateFindings({ response, asked, answered }: Answer): Finding[] {
  const shown = Date.parse(response.headers.date ?? '') + 500;
  if (Number.isNaN(shown)) return [];
  const reading = { whose: 'the load balancer', asked: asked - 500, answered: answered + 500, shown };
  return judgeClocks([reading]).filter(({ state }) => state !== 'ok');
}

const connection = z.object({
  address: z.string().nullable(),
  forwarded_for: z.array(z.string()),
  trusted_proxies: z.int(),
});

/**
 * Whether TRUST_PROXY fits what stands in front: asks the gateway, by a call of its admin API that reports nothing else,
 * what it takes for our address when we claim to have come for a made-up one.
 */
async function addressFindings(publicUrl: URL, { adminToken }: Patient): Promise<Finding[]> {
  const check = 'client addresses';
  if (adminToken === undefined || (publicUrl.protocol !== 'https:' && !isThisMachine(publicUrl.hostname))) {
    const why =
      adminToken === undefined ? 'there is no ADMIN_TOKEN here' : 'a token is not sent in the clear';
    return [fine(check, `not looked at: ${why}`)];
  }
  const { response, body } = await get(new URL('/admin/v1/connection', publicUrl), {
    authorization: `Bearer ${adminToken}`,
    'x-forwarded-for': MADE_UP_ADDRESS,
  });
  if (response.statusCode !== 200) {
    const found = `not looked at: the admin API answers ${response.statusCode} there`;
    return [fine(check, found)];
  }
  const seen = connection.parse(JSON.parse(body));
  return [addressFinding(seen)];
}

/** @param seen by the gateway, of a request that came with a made-up X-Forwarded-For */
export function addressFinding(seen: z.output<typeof connection>): Finding {
  const check = 'client addresses';
  const { address, forwarded_for: forwarded, trusted_proxies: trusted } = seen;
  const proxies = forwarded.filter((entry) => entry !== MADE_UP_ADDRESS).length;
  if (trusted > proxies) {
    const found = `TRUST_PROXY is ${trusted}, and ${proxies} proxies stand in front: clients can claim any address`;
    return failure(check, found, `set TRUST_PROXY=${proxies}`);
  }
  if (trusted < proxies) {
    const found = `TRUST_PROXY is ${trusted}, and ${proxies} proxies stand in front: all clients look like one (${address})`;
    return warning(check, found, `set TRUST_PROXY=${proxies}`);
  }
  return fine(check, `TRUST_PROXY=${trusted} fits the proxies in front`);
}

async function get(url: URL, headers: Record<string, string> = {}): Promise<Answer> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const signal = AbortSignal.timeout(CHECK_LIMIT - 500);
  const asked = Date.now();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    // A connection of its own: one that is kept would not tell of a certificate that was changed.
    request(url, { headers, agent: false, signal }, resolve).once('error', reject).end();
  });
  const answered = Date.now();
  const { socket } = response;
  const validTo = socket instanceof TLSSocket ? Date.parse(socket.getPeerCertificate().valid_to) : undefined;
  return { response, body: await text(response), asked, answered, validTo };
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
