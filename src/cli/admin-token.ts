import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { CommandError, reasonOf } from './terminal.ts';

/** Where the token of an embedded installation lies. */
export function adminTokenFile(dataDir: string): string {
  return join(dataDir, 'admin-token');
}

/** The token in DATA_DIR; undefined where there is none. */
export function readAdminToken(dataDir: string): string | undefined {
  try {
    return readFileSync(adminTokenFile(dataDir), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * The admin API's token: the setting; on the embedded database one that is made on first start and kept in DATA_DIR
 * for this user alone to read; else none, which leaves the admin API off.
 */
export function adminTokenFor({ adminToken, databaseUrl, dataDir }: Config): string | undefined {
  if (adminToken !== undefined) return adminToken;
  if (databaseUrl !== undefined) return undefined;
  const known = readAdminToken(dataDir);
  if (known !== undefined) return known;
  const token = randomBytes(32).toString('base64url');
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(adminTokenFile(dataDir), `${token}\n`, { mode: 0o600 });
  } catch (cause) {
    throw new CommandError(`DATA_DIR ${dataDir} is no folder to write to: ${reasonOf(cause)}`, { cause });
  }
  return token;
}
