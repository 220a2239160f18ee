import type { Knex } from 'knex';

/** How many connections a pool has, and how many queries wait for one. */
export interface PoolUse {
  used: number;
  idle: number;
  waiting: number;
  max: number;
}

/** As tarn counts it (knex' pool), whose methods knex' types leave out. */
export function poolUse(knex: Knex): PoolUse {
  const { pool } = knex.client as {
    pool?: { numUsed(): number; numFree(): number; numPendingAcquires(): number; max: number };
  };
  return {
    used: pool?.numUsed() ?? 0,
    idle: pool?.numFree() ?? 0,
    waiting: pool?.numPendingAcquires() ?? 0,
    max: pool?.max ?? 0,
  };
}
