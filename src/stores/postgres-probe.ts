import type { Socket } from 'node:net';
import pg from 'pg';
import type { Probe } from './health.ts';

/** Shutting down, crashed, starting up: https://www.postgresql.org/docs/current/errcodes-appendix.html, class 57. */
const NOT_THERE = '57P';

interface Line {
  readonly client: pg.Client;
  readonly connected: Promise<unknown>;
  /** Closes it without waiting for anybody. */
  readonly cut: () => unknown;
}

/** Asks `SELECT 1` over a connection that is for this alone, so that no queue and no lock delays the answer. */
export class PostgresProbe implements Probe {
  readonly #config: pg.ClientConfig;
  readonly #openSocket: () => Socket;
  #line: Line | undefined;

  /** @param openSocket makes the connection's socket, so that it can be closed when nobody answers */
  constructor(config: pg.ClientConfig, openSocket: () => Socket) {
    this.#config = config;
    this.#openSocket = openSocket;
  }

  async answers(limitMs: number): Promise<boolean> {
    const line = (this.#line ??= this.#open());
    const answered = await within(this.#ask(line), limitMs);
    if (!answered) this.#drop(line);
    return answered;
  }

  async close(): Promise<void> {
    const line = this.#line;
    this.#line = undefined;
    await line?.client.end().catch(() => undefined);
  }

  async #ask(line: Line): Promise<boolean> {
    try {
      await line.connected;
      await line.client.query('SELECT 1');
      return true;
    } catch (error) {
      this.#drop(line);
      // A server that refuses just this connection (there are too many) is there: those that are open can work.
      return error instanceof pg.DatabaseError && error.code?.startsWith(NOT_THERE) !== true;
    }
  }

  #open(): Line {
    const socket = this.#openSocket();
    const client = new pg.Client({ ...this.#config, stream: () => socket });
    const line = { client, connected: client.connect(), cut: () => socket.destroy() };
    line.connected.catch(() => undefined); // whoever asks hears of it
    // Also emitted while nothing is asked, as when the server ends; the next question opens another.
    client.on('error', () => this.#drop(line));
    return line;
  }

  #drop(line: Line): void {
    line.cut();
    if (this.#line === line) this.#line = undefined;
  }
}

/**
 * False if the answer takes longer; but what has arrived is read first: when this process itself was busy for long,
 * timers run before the answers that came meanwhile.
 */
async function within(answer: Promise<boolean>, limitMs: number): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => setImmediate(() => resolve(false)), limitMs);
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
