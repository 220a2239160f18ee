import type { Knex } from 'knex';
import type { Clock } from '../../clock.ts';
import type { AdminTokens } from '../../licensing/admin-tokens.ts';
import type { Devices } from '../../licensing/devices.ts';
import type { Licenses } from '../../licensing/licenses.ts';
import type { TierMigration } from '../../licensing/tier-migration.ts';
import type { Tiers } from '../../licensing/tiers.ts';
import type { Admission } from '../../quota/admission.ts';

/** What the handlers of the admin API work with. */
export interface AdminParts {
  clock: Clock;
  /** For reading what no object of its own keeps: audit and usage. */
  db: Knex;
  licenses: Licenses;
  devices: Devices;
  adminTokens: AdminTokens;
  tierMigration: TierMigration;
  admission: Admission;
  tiers: () => Tiers;
}
