import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import type { Message, MailKind } from './messages.ts';
import { smtpOptions } from './smtp-options.ts';

/** Told how each mail went. */
export interface MailReport {
  sent(kind: MailKind): void;
  /** @param isFinal it is not tried again */
  failed(kind: MailKind, error: unknown, isFinal: boolean): void;
}

/** How long a mail that could not be sent waits before each further try. Milliseconds. */
const RETRY_AFTER = [1_000, 5_000, 30_000];
/** More mails than these do not wait: a server that is away must not fill the memory. */
const MOST_WAITING = 1_000;
/** How long a gateway that stops waits for mails under way. Milliseconds. */
const DRAIN_TIME = 5_000;

/**
 * Sends mails in the background, some tries each. They wait in memory alone: a code or a license key must not lie in a
 * database, where only hashes of them are. Who misses a mail because a gateway was killed asks for another.
 */
export class Mailer {
  readonly #transport: ReturnType<typeof openTransport>;
  readonly #from: string;
  readonly #report: MailReport;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<Promise<void>>();

  constructor({ url, from, report }: { url: string; from: string; report: MailReport }) {
    this.#transport = openTransport(url);
    this.#from = from;
    this.#report = report;
  }

  /** Returns at once, and never throws: what became of the mail is told to the report. */
  send(message: Message): void {
    if (this.#waiting.size >= MOST_WAITING) {
      this.#report.failed(message.kind, new Error(`${MOST_WAITING} mails are waiting already`), true);
      return;
    }
    const delivery = this.#deliver(message).finally(() => this.#waiting.delete(delivery));
    this.#waiting.add(delivery);
  }

  /** Waits for what is under way, a few seconds at most; what had failed before is not tried again. */
  async close(): Promise<void> {
    this.#closing.abort();
    const late = new AbortController();
    const timeout = sleep(DRAIN_TIME, undefined, { signal: late.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.#waiting), timeout]);
    late.abort();
    this.#transport.close({ force: true });
    await Promise.all(this.#waiting);
  }

  async #deliver(message: Message): Promise<void> {
    for (const delay of [...RETRY_AFTER, undefined]) {
      try {
        await this.#transport.sendMail(this.#composed(message));
        this.#report.sent(message.kind);
        return;
      } catch (error) {
        const isFinal = delay === undefined || isRefusedForGood(error) || this.#closing.signal.aborted;
        this.#report.failed(message.kind, error, isFinal);
        if (isFinal) return;
      }
      await sleep(delay, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  #composed({ to, subject, text, html }: Message) {
    return {
      from: this.#from,
      // As an object it is taken for one address, and not for a list to be parsed.
      to: { name: '', address: to },
      subject,
      text,
      html,
      // RFC 3834: no vacation notice answers it.
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    };
  }
}

function openTransport(url: string) {
  return createTransport(smtpOptions(url));
}

/** RFC 5321 section 4.2.1: a reply of 500 to 599 says that the same would be refused again. */
function isRefusedForGood(error: unknown): boolean {
  if (!(error instanceof Error) || !('responseCode' in error)) return false;
  const { responseCode } = error;
  return typeof responseCode === 'number' && responseCode >= 500;
}
