import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ForbiddenTarget, type AddressPolicy } from './address-policy.ts';

/** For everything: name, connection, TLS, answer. Milliseconds. */
export const ATTEMPT_LIMIT = 10_000;
/** So much of an answer is read, and the rest dropped. Bytes. */
const MAX_READ = 4_096;
/** So much of it is kept, for people. Characters. */
const MAX_EXCERPT = 500;

/** What became of one attempt. */
export interface Attempt {
  delivered: boolean;
  /** Undefined where no answer came. */
  status?: number | undefined;
  /** Why it failed, as a sentence. */
  error?: string | undefined;
  excerpt?: string | undefined;
  /** The receiver wants no more, or the operator does not allow it. */
  aborted?: boolean;
}

interface Options {
  headers: Record<string, string>;
  body: string;
  policy: AddressPolicy;
  /** Ends the attempt: the gateway stops. */
  signal: AbortSignal;
  limitMs?: number;
}

/**
 * Posts a body and takes in the status. Redirects are not followed: they would lead where nobody has checked. Never
 * rejects. Each attempt has a connection of its own, to an address that was checked for it.
 */
export async function send(target: string, options: Options): Promise<Attempt> {
  const deadline = AbortSignal.timeout(options.limitMs ?? ATTEMPT_LIMIT);
  const signal = AbortSignal.any([deadline, options.signal]);
  try {
    const url = options.policy.checkUrl(target);
    const response = await post(url, options, signal);
    const status = response.statusCode ?? 0;
    const text = await beginningOf(response, signal);
    if (status >= 200 && status < 300) return { delivered: true, status };
    return { delivered: false, status, error: sentenceFor(status), excerpt: excerptOf(text) };
  } catch (error) {
    if (options.signal.aborted) return { delivered: false, aborted: true };
    const sentence = deadline.aborted ? 'No answer within 10 seconds' : reasonOf(error);
    return { delivered: false, error: sentence };
  }
}

function post(url: URL, { headers, body, policy }: Options, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(body);
    const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = open(url, {
      method: 'POST',
      // Neither a shared connection nor a proxy of the environment.
      agent: false,
      lookup: policy.lookup,
      signal,
      headers: { ...headers, 'content-type': 'application/json', 'content-length': bytes.length },
    });
    request.on('response', resolve).on('error', reject).end(bytes);
  });
}

/** What was read when the answer ended, was long enough, broke off, or the time was over: its status is known anyway. */
async function beginningOf(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      pieces.push(piece);
      size += piece.length;
      if (size >= MAX_READ || signal.aborted) break;
    }
  } catch {
    // Broken off.
  }
  response.destroy();
  return Buffer.concat(pieces).subarray(0, MAX_READ).toString('utf8');
}

function excerptOf(text: string): string {
  return text.slice(0, MAX_EXCERPT).replaceAll(/[^\P{C}\n\t]/gu, '\uFFFD');
}

function sentenceFor(status: number): string {
  if (status >= 300 && status < 400) return `Answered with a redirect (${status}), which is not followed`;
  return status === 410 ? 'Answered that it is gone (410)' : `Answered with status ${status}`;
}

function reasonOf(error: unknown): string {
  if (error instanceof ForbiddenTarget) return `Not allowed: the URL ${error.message}`;
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message.slice(0, MAX_EXCERPT) : String(error);
}
