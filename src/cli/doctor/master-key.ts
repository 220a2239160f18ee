import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMasterKeys } from '../../config-secrets.ts';
import type { Config } from '../../config.ts';
import { SecretBox } from '../../stores/secret-box.ts';
import { reasonOf } from '../terminal.ts';
import { failure, fine, type Finding } from './finding.ts';
import type { Patient } from './patient.ts';

interface Sealed {
  id: string;
  sealed: Uint8Array;
}

/** Where secrets are stored under the master key, and what each was sealed for. */
const sealedColumns = [
  { table: 'provider_keys', key: 'provider', column: 'sealed', kind: 'provider' },
  { table: 'webhook_endpoints', key: 'id', column: 'secret', kind: 'webhook' },
  { table: 'webhook_endpoints', key: 'id', column: 'previous_secret', kind: 'webhook' },
];

/** Whether MASTER_KEY can read what is stored under it. What it reads is thrown away. */
export async function masterKeyFindings({ config, database }: Patient): Promise<Finding[]> {
  const check = 'master key';
  const keys = masterKeysOf(config);
  if (database === undefined) return [fine(check, keys.length > 0 ? 'is set' : 'is not set')];
  const box = keys.length > 0 ? new SecretBox(keys) : undefined;
  let secrets = 0;
  for (const { table, key, column, kind } of sealedColumns) {
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
        box?.open(sealed, `${kind}:${id}`);
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

function masterKeysOf({ masterKeys, databaseUrl, dataDir }: Config): Buffer[] {
  const file = join(dataDir, 'master-key');
  if (databaseUrl !== undefined || !existsSync(file)) return [...masterKeys];
  return [...masterKeys, ...(parseMasterKeys(readFileSync(file, 'utf8').trim()) ?? [])];
}
