import type { SMTPPoolOptions } from 'nodemailer';

/** A server that is silent for longer is given up. Milliseconds. */
const PATIENCE = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 };

/**
 * nodemailer's options for an `smtp://` or `smtps://` URL. A password goes out over TLS alone, unless the server is on
 * this machine or the URL says `?requireTLS=false`: by default nodemailer would send it in the clear to a server that
 * offers no STARTTLS, or to whoever stands in between and takes the offer out.
 */
export function smtpOptions(url: string): SMTPPoolOptions & { pool: true } {
  const { hostname, username, searchParams } = new URL(url);
  const hasPassword = username !== '';
  const mayBePlain = searchParams.get('requireTLS') === 'false' || isThisMachine(hostname);
  return { url, pool: true, maxConnections: 3, ...PATIENCE, requireTLS: hasPassword && !mayBePlain };
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
