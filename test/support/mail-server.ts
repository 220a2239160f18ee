import type { AddressInfo } from 'node:net';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { eventually } from './eventually.ts';
import { rememberSecret } from './output.ts';

export interface MailServerOptions {
  /** Wants this user and password. */
  login?: { user: string; password: string };
  /** TLS from the first byte. */
  secure?: boolean;
  /** Offers STARTTLS; default: no. */
  startTls?: boolean;
  /** The reply to each message that is an error, or undefined to take it. */
  refuse?: (attempt: number) => { code: number; text: string } | undefined;
}

/** A real SMTP server on a free port of this machine, whose mails a test reads. */
export interface MailServer {
  /** For SMTP_URL. */
  readonly url: string;
  readonly port: number;
  /** All mails taken so far, in the order in which they came. */
  mails(): readonly ParsedMail[];
  /** How often a message was handed over, refused ones included. */
  attempts(): number;
  /** How often a client presented a password, and whether it did so over TLS. */
  logins(): readonly { secure: boolean }[];
  /** Waits for the n-th mail to an address (from 1). */
  mailTo(address: string, nth?: number): Promise<ParsedMail>;
  close(): Promise<void>;
}

export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const mails: ParsedMail[] = [];
  const logins: { secure: boolean }[] = [];
  let attempts = 0;
  const disabled = options.startTls === true || options.secure === true ? [] : ['STARTTLS'];
  const server = new SMTPServer({
    // What a client keeps open for its next mail is not waited for (default: 30 s).
    closeTimeout: 100,
    secure: options.secure ?? false,
    authOptional: options.login === undefined,
    allowInsecureAuth: true,
    disabledCommands: options.login === undefined ? [...disabled, 'AUTH'] : disabled,
    onAuth(auth, session, callback) {
      logins.push({ secure: session.secure });
      const isRight = auth.username === options.login?.user && auth.password === options.login?.password;
      if (isRight) callback(null, { user: auth.username });
      else callback(new Error('wrong user or password'));
    },
    onData(stream, _session, callback) {
      void simpleParser(stream).then((mail) => {
        attempts += 1;
        const refusal = options.refuse?.(attempts);
        if (refusal === undefined) {
          mails.push(mail);
          callback();
        } else callback(Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
      }, callback);
    },
  });
  // A client that goes away, or refuses the certificate, is no fault of the test's.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const to = (address: string): ParsedMail[] =>
    mails.filter((mail) =>
      [mail.to ?? []].flat().some(({ value }) => value.some((v) => v.address === address)),
    );
  return {
    url: `smtp${options.secure === true ? 's' : ''}://127.0.0.1:${port}`,
    port,
    mails: () => mails,
    attempts: () => attempts,
    logins: () => logins,
    mailTo: (address, nth = 1) =>
      eventually(() => {
        const mail = to(address)[nth - 1];
        if (mail === undefined) throw new Error(`mail ${nth} to ${address} has not come`);
        return mail;
      }, 10_000),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** The code that a mail holds. */
export function codeIn({ text = '' }: ParsedMail): string {
  const code = /^\s+(\d{6})$/m.exec(text)?.[1];
  if (code === undefined) throw new Error('the mail holds no code');
  return code;
}

/** The license key that a mail holds. */
export function licenseKeyIn({ text = '' }: ParsedMail): string {
  const key = /LIC(?:-[0-9A-Z]{5}){5}/.exec(text)?.[0];
  if (key === undefined) throw new Error('the mail holds no license key');
  rememberSecret(key);
  return key;
}
