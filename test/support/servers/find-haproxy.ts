import { delimiter, join } from 'node:path';

import { findFolderWith } from './find-programs.ts';

const USUAL_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/usr/bin', '/opt/homebrew/bin'];

/** The `haproxy` program. */
export function findHaproxy(env: NodeJS.ProcessEnv): string | undefined {
  const inPath = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const folder = findFolderWith(['haproxy'], [...inPath, ...USUAL_FOLDERS]);
  return folder === undefined ? undefined : join(folder, 'haproxy');
}
