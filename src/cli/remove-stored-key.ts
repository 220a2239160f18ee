import { recordInAudit } from '../licensing/audit.ts';
import { openDatabase } from './migrate.ts';
import { settings } from './settings.ts';
import { CommandError, reasonOf, type Terminal } from './terminal.ts';

/** Takes a stored key out of the database that the settings name: the way out where it cannot be decrypted any more. */
export async function removeStoredKey(terminal: Terminal, provider: string): Promise<void> {
  const database = await openDatabase(settings(terminal));
  try {
    await database.knex.transaction(async (trx) => {
      const [row] = await trx<{ provider: string; fingerprint: string }>('provider_keys')
        .where({ provider })
        .delete()
        .returning('fingerprint');
      if (row === undefined)
        throw new CommandError(`No ${provider} key is stored in ${database.description}.`);
      await recordInAudit(trx, {
        action: 'provider.key_removed',
        target: provider,
        before: { fingerprint: row.fingerprint },
        by: { type: 'system', name: 'command line' },
        at: new Date(),
      });
    });
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`The key is not removed: ${reasonOf(error)}`, { cause: error });
  } finally {
    await database.close();
  }
}
