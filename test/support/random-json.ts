import type { SeededRandom } from './seeded-random.ts';

/** A JSON object as text, and what stands at its top level. */
export interface RandomDocument {
  readonly text: string;
  readonly members: readonly { readonly key: string; readonly raw: string }[];
}

/** A valid JSON object with everything in it that makes scanners stumble. */
export function randomDocument(random: SeededRandom): RandomDocument {
  const members = Array.from({ length: random.int(6) }, () => {
    const key = randomString(random);
    return { rawKey: key, key: JSON.parse(key) as string, raw: randomValue(random, 4) };
  });
  const texts = members.map(({ rawKey, raw }) => spaced(random, rawKey, ':', raw));
  const text = spaced(random, '{', texts.join(','), '}');
  return { text, members };
}

function randomValue(random: SeededRandom, depth: number): string {
  const kind = random.int(depth > 0 ? 10 : 6);
  if (kind < 2) return randomString(random);
  if (kind < 4) return randomNumber(random);
  if (kind < 6) return random.pick(['true', 'false', 'null']);
  const items = Array.from({ length: random.int(4) }, () => randomValue(random, depth - 1));
  if (kind < 8) return spaced(random, '[', items.map((item) => spaced(random, item)).join(','), ']');
  const members = items.map((item) => spaced(random, randomString(random), ':', item));
  return spaced(random, '{', members.join(','), '}').trim();
}

function randomNumber(random: SeededRandom): string {
  return random.pick([
    '0', '-0', '7', '-12.5e-3', '1E400', '9007199254740993', '123456789012345678901234567890', '0.1', '5e+7',
  ]); // prettier-ignore
}

const FRAGMENTS = [
  'a', 'proxy_key', 'body', ' ', '\\"', '\\\\', '\\/', '\\n', '\\u0041', '\\u0000', '\\ud83d\\ude00', '\\ud800',
  '{', '}', '[', ']', ',', ':', "'", 'ä', '漢', '😀', '\u2028', '\x7f', '0123456789012345678901234', '__proto__',
] as const; // prettier-ignore

function randomString(random: SeededRandom): string {
  const length = random.chance(0.1) ? 60 : random.int(6);
  return `"${Array.from({ length }, () => random.pick(FRAGMENTS)).join('')}"`;
}

function spaced(random: SeededRandom, ...parts: string[]): string {
  const space = (): string => random.pick(['', '', '', ' ', '\n', '\t', '\r\n', '   ']);
  return space() + parts.join(space()) + space();
}
