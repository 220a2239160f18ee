import type { Knex } from 'knex';
import type { SecretBox } from './secret-box.ts';

/** A column that holds sealed secrets: what has to be sealed again when the master key is replaced. */
export interface SealedColumn {
  readonly table: string;
  /** The primary key's column. */
  readonly key: string;
  readonly column: string;
  /** What a row's secret was sealed for. */
  readonly context: (key: string) => string;
}

/** How many secrets there are, and how many of them were sealed under an earlier master key until now. */
export interface Resealed {
  secrets: number;
  resealed: number;
}

/**
 * Seals every stored secret under the master key in force, so that the ones before can be taken out of MASTER_KEY: all of
 * them, or none.
 * @param done told of it within the transaction
 * @throws SecretUnreadable where one was sealed under a master key that is not listed any more
 */
export function resealAll(
  db: Knex,
  box: SecretBox,
  columns: readonly SealedColumn[],
  done?: (trx: Knex.Transaction, total: Resealed) => Promise<void>,
): Promise<Resealed> {
  return db.transaction(async (trx) => {
    const total: Resealed = { secrets: 0, resealed: 0 };
    for (const column of columns) {
      const { secrets, resealed } = await resealColumn(trx, box, column);
      total.secrets += secrets;
      total.resealed += resealed;
    }
    await done?.(trx, total);
    return total;
  });
}

async function resealColumn(
  trx: Knex.Transaction,
  box: SecretBox,
  { table, key, column, context }: SealedColumn,
): Promise<Resealed> {
  // Locked, so that a secret that is set meanwhile is not put back.
  const rows = await trx<Record<string, unknown>>(table)
    .whereNotNull(column)
    .forUpdate()
    .select({ id: key, sealed: column });
  let resealed = 0;
  for (const { id, sealed } of rows as { id: string | number; sealed: Uint8Array }[]) {
    if (box.isCurrent(sealed)) continue;
    const purpose = context(String(id));
    const again = box.seal(box.open(sealed, purpose), purpose);
    await trx(table)
      .where({ [key]: id })
      .update({ [column]: again });
    resealed += 1;
  }
  return { secrets: rows.length, resealed };
}
