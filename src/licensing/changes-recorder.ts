import type { Knex } from 'knex';
import type { License } from './license.ts';

/** What an administrator's token allows, from least to most: `support` is everything but revoking and keys. */
export const roles = ['read', 'support', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Who changed something, and from where. */
export interface Actor {
  /** An administrator by a token, a customer by a license key or a code, or the gateway of its own accord. */
  readonly type: 'token' | 'customer' | 'system';
  /** Of the token; undefined for ADMIN_TOKEN, and where there is none. */
  readonly id?: string | undefined;
  readonly name: string;
  readonly role?: Role | undefined;
  /** The client's, as TRUST_PROXY lets it be known. */
  readonly address?: string | undefined;
  readonly requestId?: string | undefined;
}

/** Of something changed: the fields that differ, as the admin API names them. Never a secret. */
export type Facts = Readonly<Record<string, unknown>>;

/** One thing that happened, told within the transaction that did it. */
export interface Change {
  /**
   * What it was, `<thing>.<done>`: license.created, license.updated, license.suspended, license.reinstated,
   * license.revoked, license.reissued, license.activated (a device took a place), device.renewed (the same device got a
   * new key), device.removed, keys.revoked, token.created, token.revoked,
   * provider.key_set, provider.key_removed, master_key.rotated.
   */
  readonly action: `${string}.${string}`;
  /** What was changed: a license's id, a token's, a provider's name. */
  readonly target: string;
  /** The license that it concerns, as it was and as it is now; `before` is undefined where it was just made. */
  readonly license?: { readonly before: License | undefined; readonly after: License };
  readonly before?: Facts | undefined;
  readonly after?: Facts | undefined;
  readonly by: Actor;
  readonly at: Date;
}

/**
 * Keeps a change, with the transaction that makes it: either both are in the database or neither.
 * @throws what makes the transaction fail, and so the change
 */
export type Recorder = (trx: Knex, change: Change) => Promise<void>;

/** One recorder made of several, which are told one after the other. */
export function recordWith(recorders: readonly Recorder[]): Recorder {
  return async (trx, change) => {
    for (const record of recorders) await record(trx, change);
  };
}

/** The gateway itself, as for what a timer does. */
export const gatewayItself: Actor = { type: 'system', name: 'gateway' };

/** The fields of two states that differ. */
export function difference(before: Facts, after: Facts): { before: Facts; after: Facts } {
  const names = Object.keys({ ...before, ...after }).filter((name) => before[name] !== after[name]);
  const pick = (facts: Facts): Facts => Object.fromEntries(names.map((name) => [name, facts[name]]));
  return { before: pick(before), after: pick(after) };
}

/** A license's own fields as the admin API names them. */
export function licenseFacts(license: License): Facts {
  return {
    key_prefix: license.keyPrefix,
    email: license.email,
    name: license.name,
    tier: license.tier,
    status: license.status,
    expires_at: license.expiresAt?.toISOString() ?? null,
    daily_limit: license.dailyLimit ?? null,
    monthly_limit: license.monthlyLimit ?? null,
    max_activations: license.maxActivations ?? null,
  };
}
