import { createHash, timingSafeEqual, type Hash } from 'node:crypto';
import { isInnerList, parseDictionary } from 'structured-headers';
import { inTurns } from '../../in-turns.ts';
import type { Pieces } from '../../pieces.ts';

/** RFC 9530's names of the algorithms that are fit for this, and Node's. */
const algorithms = new Map([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
]);

/**
 * What is wrong with a `Content-Digest` (RFC 9530) of a body; undefined where nothing is. Each digest that we know has to
 * be right, and there has to be one.
 */
export async function digestProblem(field: string, body: Pieces): Promise<string | undefined> {
  const digests = parse(field);
  if (digests === undefined)
    return 'The header Content-Digest must be like sha-256=:<base64>: (RFC 9530), with sha-256 or sha-512';
  const hashes = digests.map(({ algorithm, value }) => ({ hash: createHash(algorithm), value }));
  await inTurns(body, (piece) => hashes.forEach(({ hash }) => hash.update(piece)));
  return hashes.every(matches) ? undefined : 'The header Content-Digest is not that of the body';
}

function matches({ hash, value }: { hash: Hash; value: Buffer }): boolean {
  const digest = hash.digest();
  return digest.length === value.length && timingSafeEqual(digest, value);
}

function parse(field: string): { algorithm: string; value: Buffer }[] | undefined {
  const digests: { algorithm: string; value: Buffer }[] = [];
  try {
    for (const [name, member] of parseDictionary(field)) {
      const algorithm = algorithms.get(name);
      if (algorithm === undefined) continue;
      if (isInnerList(member) || !(member[0] instanceof ArrayBuffer)) return undefined;
      digests.push({ algorithm, value: Buffer.from(member[0]) });
    }
  } catch {
    return undefined;
  }
  return digests.length === 0 ? undefined : digests;
}
