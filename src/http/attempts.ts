import type { Request, RequestHandler } from 'express';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible';
import type { RedisClient } from '../stores/redis.ts';
import { refuse, type ErrorCode, type Refusal } from './errors.ts';
import { answerRefusal } from './json-endpoint.ts';

const ALLOWED = 10;
const WITHIN_SECONDS = 600;

/**
 * Slows down whoever tries license keys and codes: an address that presented ten unknown ones within ten minutes waits
 * until they are over. Other refusals do not count, so a customer with a full license is never locked out.
 */
export interface Attempts {
  readonly guard: RequestHandler;
  /** Counts an unknown key against the address it came from, and says what to answer. */
  failed(req: Request, code?: ErrorCode): Promise<Refusal>;
}

/** @param redis shares the counts between instances; each counts for itself without it, and while it is away */
export function createAttempts(redis: RedisClient | undefined, prefix: string): Attempts {
  const limiter = createLimiter(redis, `${prefix}:attempts`);
  return {
    guard: async (req, res, next) => {
      const state = await limiter.get(addressOf(req));
      if (state === null || state.consumedPoints < ALLOWED) {
        next();
        return;
      }
      answerRefusal(res, tooMany(state));
    },
    async failed(req, code = 'invalid_license_key') {
      try {
        await limiter.consume(addressOf(req));
        return refuse(code);
      } catch (error) {
        // Beyond the limit it is thrown: of a hundred that passed the guard together, ten learn that their key is wrong.
        if (error instanceof RateLimiterRes) return tooMany(error);
        throw error;
      }
    },
  };
}

/** Lets an address ask for so many mails in ten minutes, to whatever addresses they go. */
export function limitRequests(redis: RedisClient | undefined, prefix: string, name: string): RequestHandler {
  const limiter = createLimiter(redis, `${prefix}:${name}`);
  return async (req, res, next) => {
    try {
      await limiter.consume(addressOf(req));
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      answerRefusal(res, tooMany(error));
      return;
    }
    next();
  };
}

function createLimiter(redis: RedisClient | undefined, keyPrefix: string): RateLimiterAbstract {
  const options = { points: ALLOWED, duration: WITHIN_SECONDS, keyPrefix };
  const memory = new RateLimiterMemory(options);
  if (redis === undefined) return memory;
  return new RateLimiterRedis({
    ...options,
    storeClient: redis,
    inMemoryBlockOnConsumed: ALLOWED,
    inMemoryBlockDuration: WITHIN_SECONDS,
    insuranceLimiter: memory,
  });
}

function tooMany({ msBeforeNext }: RateLimiterRes): Refusal {
  return refuse('too_many_attempts', {}, Math.max(1, Math.ceil(msBeforeNext / 1_000)));
}

/** An IPv6 customer has a whole /64: its addresses count as one. */
function addressOf(req: Request): string {
  const address = req.ip ?? 'unknown';
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? firstHalf(address);
}

function firstHalf(address: string): string {
  const [head = '', tail = ''] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}
