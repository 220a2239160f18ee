import type { Knex } from 'knex';
import * as initial from './0001-initial.ts';
import * as closedDatasets from './0002-closed-datasets.ts';
import * as administration from './0003-administration.ts';
import * as verifications from './0004-verifications.ts';
import * as providerKeys from './0005-provider-keys.ts';
import * as webhooks from './0006-webhooks.ts';
import * as requestProofs from './0007-request-proofs.ts';
import * as largeState from './0008-large-state.ts';

export interface Migration {
  /** As it stands in the database: without a file's ending, so that source and build agree. */
  name: string;
  up(db: Knex): Promise<void>;
  down(db: Knex): Promise<void>;
}

/**
 * The schema's only source, in order. Append; never edit what has been released.
 *
 * Expand, then contract: while a version is rolled out, instances of the version before it run, and are even started,
 * on the new schema. So a migration only adds what the version before can ignore (tables, columns that are nullable or
 * have a default, indexes); what is not used any more is removed by a migration of a later version.
 */
export const migrations: Migration[] = [
  { name: '0001-initial', ...initial },
  { name: '0002-closed-datasets', ...closedDatasets },
  { name: '0003-administration', ...administration },
  { name: '0004-verifications', ...verifications },
  { name: '0005-provider-keys', ...providerKeys },
  { name: '0006-webhooks', ...webhooks },
  { name: '0007-request-proofs', ...requestProofs },
  { name: '0008-large-state', ...largeState },
];
