import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { Activation } from './licensing/activation.ts';
import { AdminTokens } from './licensing/admin-tokens.ts';
import { recordInAudit } from './licensing/audit.ts';
import type { Changes } from './licensing/changes.ts';
import { recordWith, type Recorder } from './licensing/changes-recorder.ts';
import { Devices } from './licensing/devices.ts';
import { AdminTokenKeys, ProxyKeys } from './licensing/keys.ts';
import { Licenses } from './licensing/licenses.ts';
import { OpenStreams } from './licensing/open-streams.ts';
import { Sessions } from './licensing/sessions.ts';
import { TierMigration } from './licensing/tier-migration.ts';
import type { Tiers } from './licensing/tiers.ts';
import { recordInOutbox } from './notifying.ts';
import type { Metrics } from './observe/metrics.ts';
import { patiently, sharedSecret, type Database } from './stores/database.ts';

interface Options {
  config: Config;
  tiers: () => Tiers;
  database: Database;
  clock: Clock;
  changes: Changes;
  metrics: Metrics;
}

/** Everything about licenses, devices and their keys. */
export interface Licensing {
  licenses: Licenses;
  devices: Devices;
  activation: Activation;
  adminTokens: AdminTokens;
  record: Recorder;
  tierMigration: TierMigration;
  sessions: Sessions;
  streams: OpenStreams;
}

/** Wires it, with the secrets that all instances share. */
export async function openLicensing(options: Options): Promise<Licensing> {
  const { config, tiers, database, clock, changes, metrics } = options;
  const { knex: db } = database;
  const keys = new ProxyKeys(await patiently(() => sharedSecret(db, 'proxy-key-tag', 32)));
  const sessions = new Sessions(database.sessions, clock, changes, keys);
  const tokenKeys = new AdminTokenKeys(await patiently(() => sharedSecret(db, 'admin-token-tag', 32)));
  const graceMs = config.proxyKeyGraceSeconds * 1_000;
  // Each is told of every change, in the transaction that makes it.
  const record = recordWith([recordInAudit, recordInOutbox({ clock, tiers })]);
  return {
    record,
    sessions,
    streams: new OpenStreams(sessions, changes, (at) => metrics.sessions.tookEffect('cut', at)),
    licenses: new Licenses(db, clock, changes, record),
    devices: new Devices(db, clock, changes, record),
    tierMigration: new TierMigration({ db, clock, changes, record }),
    adminTokens: new AdminTokens({ db, clock, keys: tokenKeys, record }),
    activation: new Activation({ db, clock, changes, record, keys, tiers, graceMs }),
  };
}
