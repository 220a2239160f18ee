import type { Knex } from 'knex';
import type { Clock } from '../../clock.ts';
import type { AdminTokens } from '../../licensing/admin-tokens.ts';
import type { Actor } from '../../licensing/changes-recorder.ts';
import type { Devices } from '../../licensing/devices.ts';
import type { Licenses } from '../../licensing/licenses.ts';
import type { TierMigration } from '../../licensing/tier-migration.ts';
import type { Tiers } from '../../licensing/tiers.ts';
import type { Recorder } from '../../licensing/changes-recorder.ts';
import type { SealedColumn } from '../../stores/sealed-columns.ts';
import type { SecretBox } from '../../stores/secret-box.ts';
import type { KeyRing } from '../../upstream/key-ring.ts';
import type { Admission } from '../../quota/admission.ts';
import type { Webhooks } from '../../webhooks/webhooks.ts';

/** What the handlers of the admin API work with. */
export interface AdminParts {
  clock: Clock;
  /** For reading what no object of its own keeps: audit and usage. */
  db: Knex;
  licenses: Licenses;
  devices: Devices;
  adminTokens: AdminTokens;
  /** For what the objects above do not record themselves. */
  record: Recorder;
  providerKeys: KeyRing;
  /** What encrypts stored secrets, undefined without MASTER_KEY; and where they are. */
  sealed: { box: SecretBox | undefined; columns: readonly SealedColumn[] };
  tierMigration: TierMigration;
  admission: Admission;
  tiers: () => Tiers;
  webhooks: Webhooks<Actor>;
}
