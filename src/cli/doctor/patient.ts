import type { Config } from '../../config.ts';
import type { Tiers } from '../../licensing/tiers.ts';
import type { Database } from '../../stores/database.ts';
import type { RedisAddress, RedisClient } from '../../stores/redis.ts';

/** What the checks look at. */
export interface Patient {
  readonly config: Config;
  /** Undefined where the tiers file cannot be used. */
  readonly tiers: Tiers | undefined;
  /** Of the admin API; undefined where this machine has none. */
  readonly adminToken: string | undefined;
  /** Undefined where it cannot be looked into: it is away, not made yet, or held by a running gateway. */
  readonly database: Database | undefined;
  /** Undefined where it is away, or not used. */
  readonly redis: { readonly client: RedisClient; readonly address: RedisAddress } | undefined;
}
