import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMasterKeys } from './config-secrets.ts';
import type { Config } from './config.ts';
import { MASTER_KEY_BYTES, SecretBox } from './stores/secret-box.ts';

/** Where the embedded database's own master key lies. */
export function masterKeyFile(dataDir: string): string {
  return join(dataDir, 'master-key');
}

/**
 * The master keys that there are: those of MASTER_KEY, and on the embedded database the one in DATA_DIR behind them. What
 * that has encrypted stays readable when MASTER_KEY is set later.
 * @throws if the file in DATA_DIR holds no master key
 */
export function masterKeysOf({ masterKeys, databaseUrl, dataDir }: Config): readonly Buffer[] {
  return databaseUrl === undefined ? [...masterKeys, ...keysIn(masterKeyFile(dataDir))] : masterKeys;
}

/**
 * What encrypts stored secrets: under MASTER_KEY, or on the embedded database under a key that is made at the first start
 * and kept in DATA_DIR for this user alone to read. Undefined where there is neither: then none can be stored.
 * @throws if the file in DATA_DIR holds no master key
 */
export function secretBoxFor(config: Config): SecretBox | undefined {
  const keys = masterKeysOf(config);
  if (keys.length > 0) return new SecretBox(keys);
  return config.databaseUrl === undefined
    ? new SecretBox([newKeyIn(masterKeyFile(config.dataDir))])
    : undefined;
}

function newKeyIn(file: string): Buffer {
  const key = randomBytes(MASTER_KEY_BYTES);
  writeFileSync(file, `${key.toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  return key;
}

function keysIn(file: string): Buffer[] {
  const text = readIfThere(file);
  if (text === undefined) return [];
  const keys = parseMasterKeys(text);
  // Another one in its place would leave every secret that is stored unreadable.
  if (keys === undefined) throw new Error(`${file} holds no master key: put back the one that was there`);
  return keys;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
