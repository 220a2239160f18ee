import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Licenses } from './licensing/licenses.ts';
import { SignUp } from './licensing/sign-up.ts';
import type { Tiers } from './licensing/tiers.ts';
import { Verifications } from './licensing/verifications.ts';
import { Mailer, type MailReport } from './mail/mailer.ts';
import type { Logger } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import { patiently, sharedSecret, type Database } from './stores/database.ts';

interface Options {
  config: Config;
  database: Database;
  clock: Clock;
  licenses: Licenses;
  tiers: () => Tiers;
  log: Logger;
  metrics: Metrics;
}

/** Sign-up, and the mailer that it tells customers by, if there is one. */
export async function openSignUp(
  options: Options,
): Promise<{ signUp: SignUp; mailer: Mailer | undefined; close: () => unknown }> {
  const { config, database, clock, licenses, tiers, log, metrics } = options;
  const db = database.knex;
  const secret = await patiently(() => sharedSecret(db, 'verification-code', 32));
  if (!config.requireEmailVerification) {
    log.warn('REQUIRE_EMAIL_VERIFICATION is false: anybody can sign up in the name of any address');
  }
  const report = mailReport(log, metrics);
  const mailer = config.mail && new Mailer({ ...config.mail, report });
  const signUp = new SignUp({
    ...{ db, clock, licenses, tiers },
    verifications: new Verifications(secret),
    requireVerification: config.requireEmailVerification,
  });
  return { signUp, mailer, close: () => mailer?.close() };
}

function mailReport(log: Logger, metrics: Metrics): MailReport {
  return {
    sent: (kind) => metrics.business.mailed(kind, 'sent'),
    failed(kind, error, isFinal) {
      metrics.business.mailed(kind, isFinal ? 'failed' : 'retried');
      const reason = { kind, reason: withoutAddresses(error) };
      if (isFinal) log.error(reason, 'a mail could not be sent, and is not tried again');
      else log.warn(reason, 'a mail could not be sent; it is tried again');
    },
  };
}

/** Servers quote whom they refuse: the log is no place for customers' addresses. */
function withoutAddresses(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/[^\s<>"']+@[^\s<>"']+/g, '[address]');
}
