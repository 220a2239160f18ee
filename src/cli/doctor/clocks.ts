import { mastersOf } from '../../stores/redis-memory.ts';
import type { Patient } from './patient.ts';
import { fine, warning, type Finding } from './finding.ts';

/** Redis' clock ends days, this machine's ends licenses and graces. Milliseconds. */
const MOST_SKEW = 1_000;
const FIX = 'keep all machines on NTP (timedatectl, chronyc tracking)';

/** When a clock was asked, when it had answered, by our own; and what it showed. Milliseconds since 1970. */
export interface Reading {
  readonly whose: string;
  readonly asked: number;
  readonly answered: number;
  readonly shown: number;
}

/** What this machine's clock and those of the stores differ by. */
export async function clockFindings({ database, redis, config }: Patient): Promise<Finding[]> {
  const readings: Promise<Reading>[] = [];
  if (database !== undefined && config.databaseUrl !== undefined) {
    const shown = async (): Promise<number> => {
      const query = 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now';
      const { rows } = await database.knex.raw<{ rows: [{ now: number }] }>(query);
      return rows[0].now;
    };
    readings.push(readClock('PostgreSQL', shown));
  }
  if (redis !== undefined) {
    for (const node of mastersOf(redis.client))
      readings.push(readClock('Redis', async () => millisecondsOf(await node.time())));
  }
  return judgeClocks(await Promise.all(readings));
}

/** @param readings of the other clocks; what their answers took on the way is not counted against them */
export function judgeClocks(readings: readonly Reading[]): Finding[] {
  if (readings.length === 0) return [fine('clocks', 'there is no other clock to compare with')];
  const findings = readings.map(({ whose, asked, answered, shown }): Finding => {
    const ahead = shown - (asked + answered) / 2;
    const sure = Math.max(0, Math.abs(ahead) - (answered - asked) / 2);
    const found = `${whose} is ${Math.abs(ahead / 1_000).toFixed(1)} s ${ahead < 0 ? 'behind' : 'ahead of'} this machine`;
    return sure > MOST_SKEW ? warning('clocks', found, FIX) : fine('clocks', found);
  });
  const wrong = findings.filter(({ state }) => state !== 'ok');
  if (wrong.length > 0) return wrong;
  const names = [...new Set(readings.map(({ whose }) => whose))].join(' and ');
  return [fine('clocks', `this machine and ${names} agree within ${MOST_SKEW / 1_000} s`)];
}

async function readClock(whose: string, read: () => Promise<number>): Promise<Reading> {
  // The first answer waits for a connection; the second one tells the time.
  await read();
  const asked = Date.now();
  const shown = await read();
  return { whose, asked, answered: Date.now(), shown };
}

function millisecondsOf([seconds, microseconds]: (number | string)[]): number {
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
}
