import { configuredTiers } from '../settings.ts';
import { reasonOf } from '../terminal.ts';
import type { Config } from '../../config.ts';
import type { Tiers } from '../../licensing/tiers.ts';
import { failure, fine, type Finding } from './finding.ts';
import type { Patient } from './patient.ts';

/** The tiers in force, if they can be read. */
export function readTiers(config: Config): { tiers: Tiers | undefined; findings: Finding[] } {
  try {
    const tiers = configuredTiers(config);
    const origin = config.tiersFile ?? 'built in';
    return { tiers, findings: [fine('tiers', `${[...tiers.keys()].join(', ')} (${origin})`)] };
  } catch (error) {
    const found = reasonOf(error).replaceAll(/\s*\n\s*/g, ' ');
    const fix = 'correct the file: licensify tier validate <file> checks it';
    return { tiers: undefined, findings: [failure('tiers', found, fix)] };
  }
}

/** Whether each tier that a license has is still there. */
export async function tiersInUse({ tiers, database }: Patient): Promise<Finding[]> {
  if (tiers === undefined || database === undefined) return [];
  if (!(await database.knex.schema.hasTable('licenses'))) return [];
  const rows = await database
    .knex('licenses')
    .whereNotIn('tier', [...tiers.keys()])
    .groupBy('tier')
    .select<{ tier: string; licenses: number }[]>('tier', database.knex.raw('count(*)::int8 AS licenses'));
  if (rows.length === 0) return [fine('tiers in use', 'each license has a tier that there is')];
  const found = rows.map(({ tier, licenses }) => `${licenses} × ${JSON.stringify(tier)}`).join(', ');
  const fix =
    'put the tier back into the file, or move its licenses: licensify license update <license> --tier …';
  return [failure('tiers in use', `licenses of tiers that there are not: ${found}`, fix)];
}
