import http, { type RequestListener, type Server } from 'node:http';
import { originForm } from '../upstream/path-policy.ts';
import { refuse, sendRefusal } from './errors.ts';
import { MalformedRequests } from './malformed.ts';

/** A request's head, or a whole upload, that takes longer is a slow-loris. Milliseconds. */
const HEAD_TIMEOUT = 20_000;
const REQUEST_TIMEOUT = 300_000;
/** Longer than load balancers keep an idle connection, so that it is they who close it. Milliseconds. */
const KEEP_ALIVE = 75_000;

const noHost = refuse('invalid_request', { problem: 'The request has no Host header (RFC 9112 §3.2)' });

/**
 * The public HTTP server, not listening yet.
 * @param isDraining while true, each answer closes its connection
 * @param idleTimeoutMs a connection under way on which nothing moves for so long is cut: a reader that never reads
 */
export function createPublicServer(
  app: RequestListener,
  isDraining: () => boolean,
  idleTimeoutMs: number,
): Server {
  const malformed = new MalformedRequests();
  const handle: RequestListener = (req, res) => {
    malformed.began(res);
    req.url = originForm(req.url ?? '/');
    const hasNoHost = req.headers.host === undefined && req.httpVersion === '1.1';
    if (hasNoHost || isDraining()) res.setHeader('Connection', 'close');
    if (hasNoHost) sendRefusal(res, noHost);
    else app(req, res);
  };
  const server = http.createServer(
    {
      headersTimeout: HEAD_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      keepAliveTimeout: KEEP_ALIVE,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
      // Asked for above: node's own refusal says nothing.
      requireHostHeader: false,
    },
    handle,
  );
  server.timeout = idleTimeoutMs;
  // An expectation that is not known may be ignored (RFC 9110 §10.1.1).
  server.on('checkExpectation', handle);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => malformed.answer(error, socket));
  return server;
}

export function createInternalServer(app: RequestListener): Server {
  return http.createServer({ keepAliveTimeout: KEEP_ALIVE }, app);
}

export interface ListenOn {
  port: number;
  host: string;
  /** The setting that the port came from. */
  variable: 'PORT' | 'INTERNAL_PORT';
}

/** @throws with a sentence that names the setting to change, if the port or the address cannot be had */
export async function listen(server: Server, on: ListenOn): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const sentence = cannotListen(cause.code, on);
      reject(sentence === undefined ? cause : new Error(sentence, { cause }));
    });
    server.listen(on.port, on.host, resolve);
  });
}

function cannotListen(code = '', { port, host, variable }: ListenOn): string | undefined {
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use: stop what uses it, or set ${variable} to another`;
  if (code === 'EACCES') return `This user may not listen on port ${port}: set ${variable} to one above 1023`;
  const isUnknown = ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'].includes(code);
  return isUnknown
    ? `HOST ${host} is no address of this machine: 0.0.0.0 stands for all that it has`
    : undefined;
}

/** Stops listening, waits for the requests under way, and cuts off what is left after the time. */
export async function stopServer(server: Server, timeoutMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Connections that become idle from now on have nothing to wait for either.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}
