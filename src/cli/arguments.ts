import { InvalidArgumentError } from 'commander';
import { UsageError } from './terminal.ts';

const DAY = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

// Commander takes a null for an empty text, so the words that stand for null stay words until `orNull`.

/** A limit: −1 stands for unlimited, `tier` for what the tier says. */
export function limit(text: string): number | 'tier' {
  if (text === 'tier') return text;
  if (text === 'unlimited' || text === '-1') return -1;
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('It takes a whole number, "unlimited", or "tier" for what the tier says.');
}

/** A moment in ISO 8601, or `never`; a day stands for its beginning in UTC. */
export function moment(text: string): string {
  if (text === 'never') return text;
  const time = DAY.test(text) ? `${text}T00:00:00Z` : text;
  if (TIME.test(time) && !Number.isNaN(Date.parse(time))) return time;
  throw new InvalidArgumentError('It takes a day (2027-01-31), a time (2027-01-31T12:00:00Z) or "never".');
}

/** A moment in ISO 8601; a day stands for its beginning in UTC. */
export function time(text: string): string {
  if (text !== 'never') return moment(text);
  throw new InvalidArgumentError('It takes a day (2027-01-31) or a time (2027-01-31T12:00:00Z).');
}

/** A UTC day or a time, as it is: the admin API knows what a day stands for. */
export function dayOrTime(text: string): string {
  time(text);
  return text;
}

/** A UTC day. */
export function day(text: string): string {
  if (DAY.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new InvalidArgumentError('It takes a UTC day such as 2027-01-31.');
}

/** A whole number of seconds, up to a year. */
export function seconds(text: string): number {
  if (/^\d{1,8}$/.test(text) && Number(text) <= 31_536_000) return Number(text);
  throw new InvalidArgumentError('It takes a whole number of seconds, 31536000 (a year) at most.');
}

/** An ETag; a shell may have taken its quotes, and its number is a version. */
export function etag(text: string): string {
  const version = /^"?v?(\d+)"?$/.exec(text)?.[1];
  if (version !== undefined) return `"v${version}"`;
  throw new InvalidArgumentError('It takes a version, such as 3, or the ETag of one, "v3".');
}

/** An admin token's public id. The token itself is not repeated: it is a secret. */
export function tokenId(text: string): string {
  if (/^tok_\w+$/.test(text)) return text;
  if (text.startsWith('lat_')) {
    throw new UsageError(
      'That is an admin token. Its id, tok_…, is asked for: "licensify token list" shows it.',
    );
  }
  throw new InvalidArgumentError('It takes a token\'s id, tok_…, which "licensify token list" shows.');
}

/** What the admin API understands: null takes an override, or the expiry, away. */
export function orNull(value: string | number | undefined): string | number | null | undefined {
  return value === 'tier' || value === 'never' ? null : value;
}

/** A license's public id. A license key in its place is not repeated: it is a secret. */
export function licenseId(text: string): string {
  if (/^lic_\w+$/.test(text)) return text;
  // Commander would repeat what was typed.
  if (text.toUpperCase().startsWith('LIC-')) {
    throw new UsageError(
      'That is a license key. Its id, lic_…, is asked for: "licensify license list" shows it.',
    );
  }
  throw new InvalidArgumentError('It takes a license\'s id, lic_…, which "licensify license list" shows.');
}

export function webhookId(text: string): string {
  if (/^whe_\w+$/.test(text)) return text;
  throw new InvalidArgumentError('It takes a webhook\'s id, whe_…, which "licensify webhook list" shows.');
}

export function deliveryId(text: string): string {
  if (/^whd_\w+$/.test(text)) return text;
  throw new InvalidArgumentError(
    'It takes a delivery\'s id, whd_…, which "licensify webhook deliveries" shows.',
  );
}

export function pageSize(text: string): number {
  const size = Number(text);
  if (/^\d+$/.test(text) && size >= 1 && size <= 200) return size;
  throw new InvalidArgumentError('It takes a whole number from 1 to 200.');
}
