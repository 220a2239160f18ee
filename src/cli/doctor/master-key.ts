import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMasterKeys } from '../../config-secrets.ts';
import type { Config } from '../../config.ts';
import { sealedColumns as providerKeyColumns } from '../../provider-keys.ts';
import type { SealedColumn } from '../../stores/sealed-columns.ts';
import { SecretBox } from '../../stores/secret-box.ts';
import { sealedColumns as webhookColumns } from '../../webhooks/endpoints.ts';
import { reasonOf } from '../terminal.ts';
import { failure, fine, type Finding } from './finding.ts';
import type { Patient } from './patient.ts';

interface Sealed {
  id: string | number;
  sealed: Uint8Array;
}

/** Where secrets are stored under the master key. */
const sealedColumns: readonly SealedColumn[] = [...providerKeyColumns, ...webhookColumns];

/** Whether MASTER_KEY can read what is stored under it. What it reads is thrown away. */
export async function masterKeyFindings({ config, database }: Patient): Promise<Finding[]> {
  const check = 'master key';
  const box = boxOf(config);
  if (database === undefined) return [fine(check, box === undefined ? 'is not set' : 'is set')];
  let secrets = 0;
  for (const { table, key, column, context } of sealedColumns) {
    if (!(await database.knex.schema.hasTable(table))) continue;
    const rows = await database
      .knex(table)
      .whereNotNull(column)
      .select<Sealed[]>({ id: key, sealed: column });
    if (rows.length > 0 && box === undefined) {
      const fix = 'set MASTER_KEY, or MASTER_KEY_FILE, to the one they were encrypted under';
      return [failure(check, `is not set, and ${table} holds encrypted secrets`, fix)];
    }
    for (const { id, sealed } of rows) {
      try {
        box?.open(sealed, context(String(id)));
      } catch (error) {
        return [
          failure(check, reasonOf(error), 'list the key it was encrypted under, behind the present one'),
        ];
      }
    }
    secrets += rows.length;
  }
  if (box === undefined) return [fine(check, 'is not set, and nothing that is stored needs it')];
  return [fine(check, `is set, and reads all ${secrets} secrets that are stored`)];
}

/** Undefined where there is no master key; unlike the gateway, a look makes none. */
export function boxOf(config: Config): SecretBox | undefined {
  const keys = masterKeysOf(config);
  return keys.length === 0 ? undefined : new SecretBox(keys);
}

function masterKeysOf({ masterKeys, databaseUrl, dataDir }: Config): Buffer[] {
  const file = join(dataDir, 'master-key');
  if (databaseUrl !== undefined || !existsSync(file)) return [...masterKeys];
  return [...masterKeys, ...(parseMasterKeys(readFileSync(file, 'utf8').trim()) ?? [])];
}
