import type { Config } from '../../config.ts';
import { reasonOf } from '../terminal.ts';
import { CHECK_LIMIT, failure, fine, type Finding } from './finding.ts';

/** Whether the mail server takes us: connects, says EHLO, goes on to TLS and signs in, and sends nothing. */
export async function mailFindings({ mail }: Config): Promise<Finding[]> {
  if (mail === undefined) return [fine('mail', 'SMTP_URL is not set: POST /init answers 503')];
  const { host } = new URL(mail.url);
  const { createTransport } = await import('nodemailer');
  const { smtpOptions } = await import('../../mail/smtp-options.ts');
  const limit = CHECK_LIMIT - 500;
  const limits = { connectionTimeout: limit, greetingTimeout: limit, socketTimeout: limit };
  const transport = createTransport({ ...smtpOptions(mail.url), ...limits, pool: false });
  try {
    await transport.verify();
    return [fine('mail', `${host} takes mails from us`)];
  } catch (error) {
    const fix = 'correct SMTP_URL, or let this machine through (clouds often block ports 25 and 587)';
    return [failure('mail', `${host} does not take mails from us: ${reasonOf(error)}`, fix)];
  } finally {
    transport.close();
  }
}
