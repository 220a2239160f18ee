import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
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
  const dangling = danglingMigrations(document).map(({ id, to }) => {
    const line = lineOf(source, ['tiers', id, 'migrate_to']);
    return `${name}:${line}: tiers.${id}.migrate_to: there is no tier ${JSON.stringify(to)}`;
  });
  const parsed = tiersFileSchema.safeParse(document);
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap(separated).map(({ path, message }) => {
      return `${name}:${lineOf(source, path.map(String))}: ${path.join('.')}: ${message}`;
    });
    return { ok: false, problems: [...problems, ...dangling] };
  }
  return dangling.length > 0
    ? { ok: false, problems: dangling }
    : { ok: true, tiers: tiersFrom(parsed.data) };
}

/** Where tiers lead to, whatever else is wrong with them: all problems of a file are told at once. */
const migrationsSchema = z.object({
  tiers: z.record(
    z.string(),
    z.object({ migrate_to: z.string().optional().catch(undefined) }).catch({ migrate_to: undefined }),
  ),
});

function danglingMigrations(document: unknown): { id: string; to: string }[] {
  const read = migrationsSchema.safeParse(document);
  const tiers = new Map(Object.entries(read.success ? read.data.tiers : {}));
  return [...tiers].flatMap(([id, { migrate_to: to }]) =>
    to === undefined || (tiers.has(to) && to !== id) ? [] : [{ id, to }],
  );
}

/** Each unknown field is a problem of its own, with a line of its own. */
function separated(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code !== 'unrecognized_keys') return [issue];
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'there is no such field' }));
}

/** The line of a key in its table, else of the table's header, else 1: the parser keeps no positions. */
function lineOf(source: string, [top = '', tier, key]: string[]): number {
  const lines = source.split('\n');
  const find = (pattern: string, from = 0, to = lines.length): number => {
    const begins = new RegExp(`^\\s*${pattern}`);
    return lines.findIndex((line, index) => index >= from && index < to && begins.test(line));
  };
  if (tier === undefined) return Math.max(0, find(`\\[?\\s*${written(top)}\\s*[\\].=]`)) + 1;
  const header = find(`\\[\\s*${written(top)}\\s*\\.\\s*${written(tier)}\\s*\\]`);
  // Without a header of its own it is dotted, or an inline table.
  if (header < 0) return Math.max(0, find(`(?:${written(top)}\\s*\\.\\s*)?${written(tier)}\\s*[.=]`)) + 1;
  if (key === undefined) return header + 1;
  const next = find('\\[', header + 1);
  const found = find(`${written(key)}\\s*=`, header + 1, next < 0 ? lines.length : next);
  return (found < 0 ? header : found) + 1;
}

/** A pattern for the ways in which TOML writes a key: bare, "quoted" and 'literal'. */
function written(key: string): string {
  const [bare, quoted] = [key, JSON.stringify(key)].map((text) =>
    text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'),
  );
  return `(?:${bare}|${quoted}|'${bare}')`;
}
