import type { Knex } from 'knex';
import type { Change, Facts, Recorder, Role } from './changes-recorder.ts';

/** An entry of the audit: one change, who made it and from where. */
export interface AuditEntry {
  /** Later entries have larger ones. */
  readonly id: number;
  readonly at: Date;
  readonly actor: { type: string; id: string | undefined; name: string; role: Role | undefined };
  readonly address: string | undefined;
  readonly requestId: string | undefined;
  readonly action: string;
  readonly target: string;
  readonly licenseId: string | undefined;
  readonly before: Facts | undefined;
  readonly after: Facts | undefined;
}

export interface AuditFilter {
  license?: string | undefined;
  /** A token's id, or the name of whoever it was. */
  actor?: string | undefined;
  action?: string | undefined;
  /** Included. */
  from?: Date | undefined;
  /** Not included. */
  to?: Date | undefined;
}

interface AuditRow {
  id: number;
  at: Date;
  actor_type: string;
  actor_id: string | null;
  actor_name: string;
  actor_role: Role | null;
  address: string | null;
  request_id: string | null;
  action: string;
  target: string;
  license_id: string | null;
  before: Facts | null;
  after: Facts | null;
}

/** What customers do with their own devices all day: it would bury what administrators did, and anybody with a key could. */
const routine = new Set(['license.activated', 'device.renewed', 'device.removed']);

/** The recorder that writes the audit. */
export const recordInAudit: Recorder = async (trx, change) => {
  if (change.by.type === 'customer' && routine.has(change.action)) return;
  await trx('audit').insert(rowOf(change));
};

function rowOf({ action, target, license, before, after, by, at }: Change): object {
  return {
    at,
    actor_type: by.type,
    actor_id: by.id ?? null,
    actor_name: by.name,
    actor_role: by.role ?? null,
    address: by.address ?? null,
    request_id: by.requestId ?? null,
    action,
    target,
    license_id: license?.after.id ?? null,
    before: before === undefined ? null : JSON.stringify(before),
    after: after === undefined ? null : JSON.stringify(after),
  };
}

/**
 * Entries of the audit, the newest first.
 * @param before the id of the last entry that is known already
 */
export async function readAudit(
  db: Knex,
  filter: AuditFilter,
  limit: number,
  before?: number,
): Promise<AuditEntry[]> {
  const query = db<AuditRow>('audit').orderBy('id', 'desc').limit(limit);
  if (filter.license !== undefined) void query.where({ license_id: filter.license });
  if (filter.action !== undefined) void query.where({ action: filter.action });
  if (filter.from !== undefined) void query.where('at', '>=', filter.from);
  if (filter.to !== undefined) void query.where('at', '<', filter.to);
  if (before !== undefined) void query.where('id', '<', before);
  const { actor } = filter;
  if (actor !== undefined) {
    void query.where((is) => {
      void is.where({ actor_id: actor }).orWhere({ actor_name: actor });
    });
  }
  return (await query).map(entryFrom);
}

function entryFrom(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    at: row.at,
    actor: {
      type: row.actor_type,
      id: row.actor_id ?? undefined,
      name: row.actor_name,
      role: row.actor_role ?? undefined,
    },
    address: row.address ?? undefined,
    requestId: row.request_id ?? undefined,
    action: row.action,
    target: row.target,
    licenseId: row.license_id ?? undefined,
    before: row.before ?? undefined,
    after: row.after ?? undefined,
  };
}
