import { readFileSync } from 'node:fs';

/** package.json lies one folder up from the sources and two from the build. */
function findPackage(): URL {
  const up = new URL('../package.json', import.meta.url);
  return up.pathname.includes('/dist/') ? new URL('../../package.json', import.meta.url) : up;
}

/** The version of this package. */
export const version = (JSON.parse(readFileSync(findPackage(), 'utf8')) as { version: string }).version;
