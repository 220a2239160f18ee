import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where results go; git does not keep them. */
export function resultsFolder(): string {
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** What `latest.json` holds: the last comparison of rows, and of each other program its last figures. */
interface Results {
  readonly figures?: Readonly<Record<string, object>>;
}

/** Replaces these parts of `latest.json` and leaves the others as they are. Returns its path. */
export function updateResults(parts: object): string {
  const file = join(resultsFolder(), 'latest.json');
  writeFileSync(file, `${JSON.stringify({ ...readResults(file), ...parts }, undefined, 2)}\n`);
  return file;
}

/** The same for one program's figures. */
export function updateFigures(name: string, figures: object): string {
  const before = readResults(join(resultsFolder(), 'latest.json')).figures;
  return updateResults({ figures: { ...before, [name]: figures } });
}

function readResults(file: string): Results {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Results;
  } catch {
    return {}; // the first run, or one that was cut off while it wrote
  }
}
