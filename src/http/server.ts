import http, { type RequestListener, type Server } from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { originForm } from '../upstream/path-policy.ts';
import { Connections } from './connections.ts';
import { refuse, sendRefusal } from './errors.ts';
import { MalformedRequests } from './malformed.ts';

/** A request's head, or a whole upload, that takes longer is a slow-loris. Milliseconds. */
const HEAD_TIMEOUT = 20_000;
const REQUEST_TIMEOUT = 300_000;
/** Longer than load balancers keep an idle connection, so that it is they who close it. Milliseconds. */
const KEEP_ALIVE = 75_000;
/** Milliseconds. */
const LOOK_FOR_IDLE_EVERY = 50;

const noHost = refuse('invalid_request', { problem: 'The request has no Host header (RFC 9112 §3.2)' });

/** The public server and what is open on it. */
export interface PublicServer {
  readonly server: Server;
  readonly connections: Connections;
}

/**
 * The public HTTP server, not listening yet.
 * @param idleTimeoutMs a connection under way on which nothing moves for so long is cut: a reader that never reads
 */
export function createPublicServer(app: RequestListener, idleTimeoutMs: number): PublicServer {
  const malformed = new MalformedRequests();
  const handle: RequestListener = (req, res) => {
    malformed.began(res);
    connections.began(res);
    res.on('close', () => {
      malformed.ended(res);
      connections.ended(res);
    });
    req.url = originForm(req.url ?? '/');
    const hasNoHost = req.headers.host === undefined && req.httpVersion === '1.1';
    if (hasNoHost) {
      res.setHeader('Connection', 'close');
      sendRefusal(res, noHost);
    } else {
      app(req, res);
    }
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
  const connections = new Connections(server);
  server.timeout = idleTimeoutMs;
  // An expectation that is not known may be ignored (RFC 9110 §10.1.1).
  server.on('checkExpectation', handle);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => malformed.answer(error, socket));
  return { server, connections };
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

/**
 * Stops the public server without failing a request: it goes on serving for the delay, each answer closing its
 * connection; then it stops listening, and what is under way may take the drain time before it is cut off.
 */
export async function stopPublicServer(
  { server, connections }: PublicServer,
  { delayMs, drainMs }: { delayMs: number; drainMs: number },
): Promise<void> {
  if (!server.listening) return;
  connections.closeAfterAnswers();
  if (delayMs > 0) await sleep(delayMs);
  // HTTP's own close() would at once close what is idle as well.
  const closed = new Promise<void>((resolve) => net.Server.prototype.close.call(server, () => resolve()));
  const idle = setInterval(() => connections.closeIdle(), LOOK_FOR_IDLE_EVERY);
  const cut = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
  // Only for HTTP's own clock, which looks for late requests.
  server.close();
}

/** Stops a server that nobody depends on. */
export async function stopInternalServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
