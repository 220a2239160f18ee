import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Claims a data folder for this process with a file that names it, and returns the release. A file left behind by a
 * process that was killed is taken over.
 * @throws if a living process holds the folder
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'gateway.pid');
  for (;;) {
    try {
      claim(file);
      break;
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
    }
    const holder = readHolder(file);
    // In a container every gateway is process 1: a file with our own number is from a life before this one.
    if (holder !== undefined && holder !== process.pid && isAlive(holder)) {
      throw new Error(
        `DATA_DIR ${folder} is in use by another gateway (process ${holder}). ` +
          'Stop it, or give this one its own DATA_DIR, or set DATABASE_URL to share one PostgreSQL.',
      );
    }
    rmSync(file, { force: true });
  }
  return () => rmSync(file, { force: true });
}

/** Links a finished file into place, so that nobody sees one without its number in it. @throws EEXIST */
function claim(file: string): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, String(process.pid), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}

function readHolder(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
