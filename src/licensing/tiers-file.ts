import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { tiersFileSchema, tiersFrom, type Tiers } from './tiers.ts';

export type ReadTiers = { ok: true; tiers: Tiers } | { ok: false; problems: string[] };

/** Reads a tiers file; a bad one yields every problem with its line. */
export function readTiersFile(path: string): ReadTiers {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    return { ok: false, problems: [`${path}: ${error instanceof Error ? error.message : String(error)}`] };
  }
  return parseTiers(source, path);
}

/** @param name what problems call the file */
export function parseTiers(source: string, name: string): ReadTiers {
  let document: unknown;
  try {
    document = parse(source);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0] ?? error.message;
    return { ok: false, problems: [`${name}:${error.line}:${error.column}: ${reason}`] };
  }
  const parsed = tiersFileSchema.safeParse(document);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
      return `${name}:${lineOf(source, path.map(String))}: ${path.join('.')}: ${issue.message}`;
    });
    return { ok: false, problems };
  }
  const tiers = tiersFrom(parsed.data);
  const problems = danglingMigrations(tiers).map(({ id, to }) => {
    const line = lineOf(source, ['tiers', id, 'migrate_to']);
    return `${name}:${line}: tiers.${id}.migrate_to: there is no tier ${JSON.stringify(to)}`;
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, tiers };
}

function danglingMigrations(tiers: Tiers): { id: string; to: string }[] {
  return [...tiers.values()].flatMap(({ id, migrateTo }) =>
    migrateTo === undefined || (tiers.has(migrateTo) && migrateTo !== id) ? [] : [{ id, to: migrateTo }],
  );
}

/** The line of a key in its table, else of the table's header, else 1: the parser keeps no positions. */
function lineOf(source: string, path: string[]): number {
  const lines = source.split('\n');
  const [, tier, key] = path;
  const header = lines.findIndex((line) =>
    new RegExp(`^\\s*\\[\\s*tiers\\s*\\.\\s*"?${tier ?? ''}"?\\s*\\]`).test(line),
  );
  if (header < 0) return 1;
  if (key === undefined) return header + 1;
  const next = lines.findIndex((line, index) => index > header && /^\s*\[/.test(line));
  const end = next < 0 ? lines.length : next;
  const found = lines.findIndex(
    (line, i) => i > header && i < end && new RegExp(`^\\s*"?${key}"?\\s*=`).test(line),
  );
  return (found < 0 ? header : found) + 1;
}
