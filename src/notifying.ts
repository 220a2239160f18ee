import type { Knex } from 'knex';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { licenseJson } from './http/admin/license-json.ts';
import { recordInAudit } from './licensing/audit.ts';
import type { Actor, Change, Recorder } from './licensing/changes-recorder.ts';
import { effectiveLimits, type License } from './licensing/license.ts';
import { licenseFrom } from './licensing/license-rows.ts';
import type { Tiers } from './licensing/tiers.ts';
import type { Logger } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import { Trouble } from './observe/trouble.ts';
import type { SecretBox } from './stores/secret-box.ts';
import { version } from './version.ts';
import { eventTypes, type EventType } from './webhooks/event-types.ts';
import { expiryAfterChange } from './webhooks/expiry.ts';
import type { LicenseView } from './webhooks/license-view.ts';
import { Outbox } from './webhooks/outbox.ts';
import { Webhooks } from './webhooks/webhooks.ts';

interface Options {
  config: Config;
  knex: Knex;
  box: SecretBox | undefined;
  clock: Clock;
  tiers: () => Tiers;
  log: Logger;
  metrics: Metrics;
}

/** Webhooks as this installation sends them. */
export function openWebhooks(options: Options): Webhooks<Actor> {
  const { config, knex, box, clock, tiers, log, metrics } = options;
  const trouble = new Trouble(log, 'webhooks cannot be looked after; they are kept and tried again');
  return new Webhooks({
    ...{ db: knex, box, clock, record: recordInAudit },
    allowedHosts: config.webhookAllowedHosts,
    readLicense: (row: Parameters<typeof licenseFrom>[0]) => viewOf(licenseFrom(row), { clock, tiers }),
    userAgent: `Licensify/${version}`,
    report: {
      attempted: (outcome) => metrics.webhooks.attempted(outcome),
      waited: (seconds) => metrics.webhooks.waited(seconds),
      failed: (error) => trouble.failed(error),
      succeeded: () => trouble.succeeded(),
    },
  });
}

interface Terms {
  clock: Clock;
  tiers: () => Tiers;
}

/** Writes the events that a change of a license makes into the outbox, in the transaction of the change. */
export function recordInOutbox(terms: Terms): Recorder {
  const outbox = new Outbox(terms.clock);
  return async (trx, { action, license, after, at }: Change) => {
    if (license === undefined) return;
    const view = viewOf(license.after, terms);
    const type = eventTypes.find((name) => name === action);
    if (type !== undefined) {
      const data = type === 'license.activated' ? { ...view.data, device: after } : view.data;
      await outbox.add(trx, { type: type satisfies EventType, at: at.getTime(), licenseId: view.id, data });
    }
    const before = license.before && viewOf(license.before, terms);
    for (const event of expiryAfterChange(before, view, at.getTime())) await outbox.add(trx, event);
  };
}

function viewOf(license: License, { clock, tiers }: Terms): LicenseView {
  const { id, status, expiresAt } = license;
  const data = licenseJson(license, { clock, tiers });
  return { id, status, expiresAt, limits: effectiveLimits(license, tiers()), data };
}
