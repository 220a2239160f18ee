import { accessSync, constants, globSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

// Debian and Ubuntu, Red Hat, Alpine, PostgreSQL's own default, Homebrew, Postgres.app.
const POSTGRES_FOLDERS = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/usr/libexec/postgresql*',
  '/usr/local/pgsql/bin',
  '/opt/homebrew/opt/postgresql*/bin',
  '/usr/local/opt/postgresql*/bin',
  '/Applications/Postgres.app/Contents/Versions/*/bin',
];
const COMMON_FOLDERS = ['/usr/local/bin', '/usr/bin', '/usr/sbin', '/opt/homebrew/bin'];

/** Where a `postgres` with its `initdb` was looked for, for the message when there is none. */
export const POSTGRES_PLACES = `PATH and ${POSTGRES_FOLDERS.slice(0, 3).join(', ')} and the like`;

/** The folder that holds both `postgres` and `initdb`; one without the other is of no use. */
export function findPostgres(env: NodeJS.ProcessEnv): string | undefined {
  return findFolderWith(
    ['postgres', 'initdb'],
    [...pathFolders(env), ...newestFirst(POSTGRES_FOLDERS), ...COMMON_FOLDERS],
  );
}

/** The `redis-server` program. */
export function findRedis(env: NodeJS.ProcessEnv): string | undefined {
  const folder = findFolderWith(['redis-server'], [...pathFolders(env), ...COMMON_FOLDERS]);
  return folder === undefined ? undefined : join(folder, 'redis-server');
}

/** The first of the folders in which every one of these programs can be run. */
export function findFolderWith(programs: readonly string[], folders: readonly string[]): string | undefined {
  return folders.find((folder) => programs.every((program) => isProgram(join(folder, program))));
}

/** The folders of PATH. */
export function pathFolders(env: NodeJS.ProcessEnv): string[] {
  return (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
}

function newestFirst(patterns: readonly string[]): string[] {
  const version = (folder: string): number => Number(/\d+/.exec(folder)?.[0] ?? 0);
  return patterns.flatMap((pattern) => globSync(pattern).sort((a, b) => version(b) - version(a)));
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
