import type { Knex } from 'knex';
import { TiersInForce, type TiersEvent } from './licensing/tiers-in-force.ts';
import type { Tiers } from './licensing/tiers.ts';
import type { Logger } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';

/** The tiers of an instance, which logs and counts what happens to them. */
export async function openTiers(
  tiers: Tiers,
  { db, log, metrics }: { db: Knex; log: Logger; metrics: Metrics },
): Promise<TiersInForce> {
  const inForce = new TiersInForce(tiers, db, (event) => {
    if (event.kind !== 'lacking') metrics.business.tiersChanged(event.kind);
    if (event.kind === 'replaced') metrics.requests.addTiers(inForce.current().values());
    report(event, log);
  });
  metrics.requests.addTiers(tiers.values());
  await inForce.lookForDropped();
  return inForce;
}

function report(event: TiersEvent, log: Logger): void {
  switch (event.kind) {
    case 'replaced':
      log.info(
        { added: event.added, changed: event.changed, removed: event.removed },
        'the new tiers are in force',
      );
      return;
    case 'refused':
      log.error({ problems: event.problems }, 'the new tiers are refused: those before stay in force');
      return;
    case 'lacking':
      log.error(
        { problems: event.problems },
        'the tiers lack some that licenses have: requests of those licenses are refused with 503',
      );
  }
}
