import type { Clock } from './clock.ts';
import type { Counting } from './counting.ts';
import type { Changes } from './licensing/changes.ts';
import type { Sessions } from './licensing/sessions.ts';
import type { Tiers } from './licensing/tiers.ts';
import type { Metrics } from './observe/metrics.ts';
import { dayOf } from './quota/windows.ts';
import type { Database } from './stores/database.ts';
import { poolUse } from './stores/pool-use.ts';

interface Watched {
  metrics: Metrics;
  database: Database;
  counting: Counting;
  sessions: Sessions;
  tiers: () => Tiers;
  clock: Clock;
}

/** Lets the metrics see what they are to show at each scrape. */
export function watchGateway({ metrics, database, counting, sessions, tiers, clock }: Watched): void {
  const { stores } = metrics;
  if (database.isServer) {
    stores.watch('postgres', () => !database.state.away);
    stores.watchPool('licensing', () => poolUse(database.knex));
    stores.watchPool('sessions', () => poolUse(database.sessions));
    stores.watchPool('ledger', () => poolUse(database.ledger));
  }
  if (counting.redis !== undefined) stores.watch('redis', () => counting.answers());
  watchSessions(metrics, sessions, counting.changes);
  metrics.counting.watchLedger({
    waiting() {
      const { events, oldestAt } = counting.ledger.waiting();
      return { events, seconds: oldestAt === undefined ? 0 : (performance.now() - oldestAt) / 1_000 };
    },
    written: () => counting.ledger.written(),
  });
  metrics.counting.watchNearLimit(() => counting.nearLimits.counts(tiers().keys(), dayOf(clock.now())));
  counting.changes.onChange((licenseId) => counting.nearLimits.forget(licenseId));
}

function watchSessions(metrics: Metrics, sessions: Sessions, changes: Changes): void {
  metrics.sessions.watch({
    lookups: () => sessions.lookups,
    cached: () => sessions.size,
    live: () => changes.live,
  });
  // Listeners are told in the order in which they came: by now the sessions have forgotten what changed.
  changes.onChange((_licenseId, announcedAt) => metrics.sessions.tookEffect('forgotten', announcedAt));
}
