import type { Knex } from 'knex';

/** A change of one row of the ledger: requests of a license's device to a provider's model on a UTC day. */
export interface LedgerChange {
  licenseId: string;
  deviceId: number;
  provider: string;
  model: string;
  /** `2026-11-22` */
  day: string;
  requests: number;
  refunded: number;
}

/** Told how each flush went; what a failed one held is tried again. */
export interface FlushReport {
  failed(error: unknown): void;
  succeeded(): void;
}

/** Adds changes up, so that each row is written once. */
export class LedgerChanges {
  readonly #rows = new Map<string, LedgerChange>();

  add(change: LedgerChange): void {
    const key = [change.licenseId, change.day, change.deviceId, change.provider, change.model].join('\n');
    const row = this.#rows.get(key);
    if (row === undefined) this.#rows.set(key, { ...change });
    else {
      row.requests += change.requests;
      row.refunded += change.refunded;
    }
  }

  get size(): number {
    return this.#rows.size;
  }

  /** In one order everywhere, so that two transactions never wait for each other's rows. */
  sorted(): LedgerChange[] {
    return [...this.#rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }
}

/** More rows in one statement would pass PostgreSQL's 65,535 parameters. */
const ROWS_A_STATEMENT = 1_000;

/** Adds changes to the ledger's rows, within the caller's transaction. */
export async function applyToLedger(db: Knex, changes: LedgerChanges): Promise<void> {
  const rows = changes.sorted().map((change) => ({
    license_id: change.licenseId,
    day: change.day,
    device_id: change.deviceId,
    provider: change.provider,
    model: change.model,
    requests: change.requests,
    refunded: change.refunded,
  }));
  for (let start = 0; start < rows.length; start += ROWS_A_STATEMENT) {
    await db('usage')
      .insert(rows.slice(start, start + ROWS_A_STATEMENT))
      .onConflict(['license_id', 'day', 'device_id', 'provider', 'model'])
      .merge({
        requests: db.raw('usage.requests + excluded.requests'),
        refunded: db.raw('usage.refunded + excluded.refunded'),
      });
  }
}

/**
 * What counts against a license's limits between two ISO days, both included, and on the second of them; and how far the
 * ledger had come with a source of events at the same moment.
 */
export async function ledgerCounts(
  db: Knex,
  licenseId: string,
  days: { first: string; today: string; last: string },
  source = '',
): Promise<{ today: number; thisMonth: number; foldedTo: string | undefined }> {
  // One statement sees one moment.
  const row = await db('usage')
    .where({ license_id: licenseId })
    .whereBetween('day', [days.first, days.last])
    .first<{ today: number; month: number; folded_to: string | null } | undefined>(
      db.raw('coalesce(sum(requests) filter (where day = ?), 0)::int8 as today', [days.today]),
      db.raw('coalesce(sum(requests), 0)::int8 as month'),
      db.raw('(select last_id from ledger_offsets where source = ?) as folded_to', [source]),
    );
  // Refunds can reach the ledger before what they refund: below zero there is nothing to count.
  return {
    today: Math.max(0, row?.today ?? 0),
    thisMonth: Math.max(0, row?.month ?? 0),
    foldedTo: row?.folded_to ?? undefined,
  };
}
