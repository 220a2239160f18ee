import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import { failure, fine, warning, type Finding } from './finding.ts';

/** Of the file system. */
const NEARLY_FULL = 0.1;

/** DATA_DIR: who may read what lies in it, and how much more fits. */
export async function dataDirFindings({ dataDir, databaseUrl }: Config): Promise<Finding[]> {
  const folder = await modeOf(dataDir);
  if (folder === undefined) {
    const found =
      databaseUrl === undefined
        ? `${dataDir} is made at the first start`
        : `${dataDir} is not there, nor needed`;
    return [fine('data folder', found)];
  }
  const findings = [...(await permissions(dataDir, folder))];
  // With a PostgreSQL elsewhere nothing grows here.
  if (databaseUrl === undefined) findings.push(await space(dataDir));
  return findings;
}

async function permissions(dataDir: string, folder: number): Promise<Finding[]> {
  const wrong: Finding[] = [];
  if (isOpen(folder)) {
    const found = `${dataDir} can be entered by other users (${shown(folder)})`;
    wrong.push(warning('data folder', found, `chmod 700 ${dataDir}`));
  }
  for (const name of ['admin-token', 'master-key']) {
    const file = join(dataDir, name);
    const mode = await modeOf(file);
    if (mode !== undefined && isOpen(mode))
      wrong.push(
        failure('data folder', `${file} can be read by others (${shown(mode)})`, `chmod 600 ${file}`),
      );
  }
  const isWritable = await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable) {
    const fix = 'run as the user of the gateway, or give the folder to that user';
    wrong.push(failure('data folder', `${dataDir} cannot be written by this user`, fix));
  }
  return wrong.length > 0 ? wrong : [fine('data folder', `${dataDir} is for this user alone`)];
}

async function space(dataDir: string): Promise<Finding> {
  const { bavail, blocks, bsize } = await statfs(dataDir);
  const gigabytes = (count: number): string => `${((count * bsize) / 2 ** 30).toFixed(1)} GB`;
  const found = `${gigabytes(bavail)} free of ${gigabytes(blocks)}`;
  return bavail < blocks * NEARLY_FULL
    ? warning('disk', found, 'make room: a full disk stops the database, and with it the gateway')
    : fine('disk', found);
}

/** The permission bits; undefined where there is nothing. Windows has none, and says so by its own. */
async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isOpen(mode: number): boolean {
  return process.platform !== 'win32' && (mode & 0o077) !== 0;
}

function shown(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
