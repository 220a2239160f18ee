import type { Knex } from 'knex';
import * as initial from './0001-initial.ts';

export interface Migration {
  /** As it stands in the database: without a file's ending, so that source and build agree. */
  name: string;
  up(db: Knex): Promise<void>;
  down(db: Knex): Promise<void>;
}

/** The schema's only source, in order. Append; never edit what has been released. */
export const migrations: Migration[] = [{ name: '0001-initial', ...initial }];
