import { readFileSync } from 'node:fs';
import type { Result } from 'ioredis';
import type { RedisClient } from '../stores/redis.ts';

type Arguments = (string | number)[];

declare module 'ioredis' {
  interface RedisCommander<Context> {
    /** Answers what `readDecision` reads. */
    licensifyAdmit(...args: Arguments): Result<string, Context>;
    licensifyBook(...args: Arguments): Result<[outcome: number, id?: string, day?: number], Context>;
    licensifyUsed(
      ...args: Arguments
    ): Result<[warm: number, day: number, today: number, thisMonth: number], Context>;
    licensifyDataset(...args: Arguments): Result<[name: string, lastId: string], Context>;
    licensifyMissing(...args: Arguments): Result<number[], Context>;
  }
}

/** What the scripts answer where the caller's dataset is not the partition's. */
export const OTHER_DATASET = -1;

/** What admit.lua decided. */
interface AdmitReply {
  decision: number;
  day: number;
  today: number;
  thisMonth: number;
  /** Of the stream's entry; '' where nothing was counted. */
  id: string;
}

export function readDecision(reply: string): AdmitReply {
  const [decision, day, today, thisMonth, id = ''] = reply.split(' ', 5);
  return {
    decision: Number(decision),
    day: Number(day),
    today: Number(today),
    thisMonth: Number(thisMonth),
    id,
  };
}

/** Makes this folder's scripts commands of the connection. */
export function defineScripts(redis: RedisClient): void {
  const read = (name: string): string => readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
  const withWindows = (name: string): string => `${read('windows')}\n${read(name)}`;
  redis.defineCommand('licensifyAdmit', { numberOfKeys: 3, lua: withWindows('admit') });
  redis.defineCommand('licensifyBook', { numberOfKeys: 3, lua: withWindows('book') });
  redis.defineCommand('licensifyUsed', { numberOfKeys: 3, lua: withWindows('used') });
  redis.defineCommand('licensifyDataset', { numberOfKeys: 1, lua: read('dataset') });
  redis.defineCommand('licensifyMissing', { numberOfKeys: 1, lua: read('missing') });
}
