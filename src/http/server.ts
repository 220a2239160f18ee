import http, { type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** A request's head, or a whole upload, that takes longer is a slow-loris. Milliseconds. */
const HEAD_TIMEOUT = 20_000;
const REQUEST_TIMEOUT = 300_000;
/** Longer than load balancers keep an idle connection, so that it is they who close it. Milliseconds. */
const KEEP_ALIVE = 75_000;

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
  const server = http.createServer(
    {
      headersTimeout: HEAD_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      keepAliveTimeout: KEEP_ALIVE,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
    },
    (req, res) => {
      if (isDraining()) res.setHeader('Connection', 'close');
      app(req, res);
    },
  );
  server.timeout = idleTimeoutMs;
  server.on('clientError', answerMalformed);
  return server;
}

export function createInternalServer(app: RequestListener): Server {
  return http.createServer({ keepAliveTimeout: KEEP_ALIVE }, app);
}

/** @throws with a sentence that names the port, if it is taken */
export async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      reject(
        isTaken
          ? new Error(`Port ${port} is in use: stop what uses it, or set another`, { cause: error })
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
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

/** What is no HTTP gets a plain answer and no connection: after a parser's error nothing on it can be trusted. */
function answerMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, code, message] = malformedAnswers[error.code ?? ''] ?? malformedAnswer;
  const body = JSON.stringify({ error: message, code });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const malformedAnswer = ['400 Bad Request', 'invalid_request', 'The request is not valid HTTP'] as const;

const malformedAnswers: Record<string, readonly [status: string, code: string, message: string] | undefined> =
  {
    HPE_HEADER_OVERFLOW: [
      '431 Request Header Fields Too Large',
      'invalid_request',
      'The headers are larger than 16 KiB',
    ],
    ERR_HTTP_REQUEST_TIMEOUT: [
      '408 Request Timeout',
      'invalid_request',
      'The request did not arrive in time',
    ],
  };
