import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A connection on which nothing has moved for so long counts as idle. Milliseconds. */
const IDLE_AFTER = 250;
/** A request whose head has begun may take so long to go on. Milliseconds. */
const HALF_SENT_AFTER = 5_000;

interface Connection {
  /** Answers under way. */
  readonly answers: Set<ServerResponse>;
  /** What had been read from it when it was last looked at, and when that changed or an answer ended. */
  bytesRead: number;
  movedAt: number;
  /** What had been read when the last answer ended: anything above is the beginning of another request. */
  bytesOfRequests: number;
}

/**
 * The connections of a server that is going to stop, so that none is closed under a request.
 *
 * A kept-alive connection that looks idle may have a request on its way to us, and closing it then fails that request:
 * its sender sees a connection that ended without an answer, and a load balancer may not send a POST again (RFC 9110
 * §9.2.2). No server can rule that out by looking. What it can do is to say `Connection: close` with each answer from
 * the moment it is asked to stop, so that connections in use end without anything on their way; to go on serving until
 * load balancers have seen that it is not ready (`SHUTDOWN_DELAY_MS`); and to close only what has been silent for a
 * while since, which is what nobody is going to use.
 */
export class Connections {
  readonly #open = new Map<Socket, Connection>();
  #closing = false;

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      const movedAt = performance.now();
      this.#open.set(socket, { answers: new Set(), bytesRead: 0, movedAt, bytesOfRequests: 0 });
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /** To be called for each request before it is handled. */
  began(res: ServerResponse): void {
    const { socket } = res.req;
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.answers.add(res);
    if (this.#closing) closeAfter(res);
  }

  /** To be called when its answer is over. */
  ended(res: ServerResponse): void {
    const { socket } = res.req;
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.answers.delete(res);
    connection.bytesOfRequests = socket.bytesRead;
    connection.movedAt = performance.now();
  }

  /** From now on each answer ends its connection; those under way too, where their head is not sent yet. */
  closeAfterAnswers(): void {
    this.#closing = true;
    for (const { answers } of this.#open.values()) answers.forEach(closeAfter);
  }

  /** Closes what is idle. To be called repeatedly: it also finds out what has moved since the call before. */
  closeIdle(): void {
    const now = performance.now();
    for (const [socket, connection] of this.#open) {
      if (socket.bytesRead !== connection.bytesRead) {
        connection.bytesRead = socket.bytesRead;
        connection.movedAt = now;
      }
      const patience = socket.bytesRead > connection.bytesOfRequests ? HALF_SENT_AFTER : IDLE_AFTER;
      if (connection.answers.size === 0 && now - connection.movedAt >= patience) socket.destroy();
    }
  }
}

function closeAfter(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}
