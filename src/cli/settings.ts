import { explainProblems, loadConfig, type Config } from '../config.ts';
import { readTiersFile } from '../licensing/tiers-file.ts';
import { builtInTiers, type Tiers } from '../licensing/tiers.ts';
import { environmentOf } from './environment.ts';
import { CommandError, type Terminal } from './terminal.ts';

/** The settings of this process. @throws CommandError that lists every problem at once */
export function settings(terminal: Terminal): Config {
  const loaded = loadConfig(environmentOf(terminal));
  if (!loaded.ok) throw new CommandError(explainProblems(loaded.problems));
  return loaded.config;
}

/** The tiers in force. @throws CommandError that lists every problem of the file */
export function configuredTiers({ tiersFile }: Config): Tiers {
  if (tiersFile === undefined) return builtInTiers;
  const read = readTiersFile(tiersFile);
  if (!read.ok) throw new CommandError(`TIERS_FILE has problems:\n  ${read.problems.join('\n  ')}`);
  return read.tiers;
}
