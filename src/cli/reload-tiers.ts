import type { Config } from '../config.ts';
import type { Gateway } from '../gateway.ts';
import { readTiersFile } from '../licensing/tiers-file.ts';
import type { Logger } from '../observe/log.ts';

/** On SIGHUP: reads TIERS_FILE again. What is wrong with it is logged, and leaves the tiers in force. Never rejects. */
export async function reloadTiers(
  { tiers }: Pick<Gateway, 'tiers'>,
  { tiersFile }: Pick<Config, 'tiersFile'>,
  log: Logger,
): Promise<void> {
  if (tiersFile === undefined) {
    log.warn('SIGHUP reads TIERS_FILE again, which is not set: the built-in tiers stay in force');
    return;
  }
  const read = readTiersFile(tiersFile);
  if (read.ok) await tiers.replace(read.tiers);
  else tiers.refuse(read.problems);
}
