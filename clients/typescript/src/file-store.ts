import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { StoreError } from './errors.ts';
import type { Store } from './store.ts';

/** The machine as far as it matters here; each has the real one as its default. */
export interface FileStoreOptions {
  /** Separates applications that share a machine and a gateway. */
  app?: string;
  env?: Readonly<Record<string, string | undefined>>;
  platform?: string;
  home?: string;
}

/**
 * The usual folder for an application's data: `$XDG_DATA_HOME` or `~/.local/share` (XDG Base Directory Specification),
 * `~/Library/Application Support` on macOS, `%APPDATA%` on Windows; in it `licensify/<app>`.
 */
export function dataFolder({
  app = 'default',
  env = process.env,
  platform = process.platform,
  home = homedir(),
}: FileStoreOptions = {}): string {
  if (platform === 'win32') return join(env.APPDATA ?? join(home, 'AppData', 'Roaming'), 'licensify', app);
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'licensify', app);
  const data = env.XDG_DATA_HOME ?? '';
  // The specification has relative paths ignored.
  return join(data.startsWith('/') ? data : join(home, '.local', 'share'), 'licensify', app);
}

/** Files with mode 0600 in a folder with mode 0700. A file that others can read is refused, as ssh does. */
export function fileStore(options: FileStoreOptions = {}): Store {
  const folder = dataFolder(options);
  const isWindows = (options.platform ?? process.platform) === 'win32';
  const fileOf = (name: string): string => join(folder, name);
  return {
    async get(name) {
      const file = fileOf(name);
      try {
        const { mode } = await stat(file);
        if (!isWindows && (mode & 0o077) !== 0) throw readableByOthers(file, mode);
        return await readFile(file, 'utf8');
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw asStoreError(error, `${file} cannot be read`);
      }
    },
    async set(name, text) {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await replaceFile(fileOf(name), text);
      } catch (error) {
        throw asStoreError(error, `${fileOf(name)} cannot be written`);
      }
    },
    async delete(name) {
      try {
        await rm(fileOf(name), { force: true });
      } catch (error) {
        throw asStoreError(error, `${fileOf(name)} cannot be removed`);
      }
    },
  };
}

/** Whole or not at all, whatever happens meanwhile: written beside it, then renamed. */
async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await chmod(draft, 0o600); // a umask can take away more than is meant
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function readableByOthers(file: string, mode: number): StoreError {
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return new StoreError(
    `${file} holds a secret and is open to other users of this machine (mode ${shown}): ` +
      `run chmod 600 on it; if others may have read it, activate again for a new key`,
    { code: 'store_open_to_others' },
  );
}

function asStoreError(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError(`${what}: ${reason}`, { code: 'store_unusable', cause: error });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
