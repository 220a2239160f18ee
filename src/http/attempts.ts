import type { Request, RequestHandler } from 'express';
import { LRUCache } from 'lru-cache';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible';
import type { RedisClient } from '../stores/redis.ts';
import { refuse, type ErrorCode, type Refusal } from './errors.ts';
import { answerRefusal } from './json-endpoint.ts';
import { networkOf } from './network.ts';

const ALLOWED = 10;
const WITHIN_SECONDS = 600;
/** So many addresses are kept in memory at most, of those that wait and of those that are counted. */
const REMEMBERED = 20_000;

/**
 * Slows down whoever tries license keys and codes: an address that presented ten unknown ones within ten minutes waits
 * until they are over. Other refusals do not count, so a customer with a full license is never locked out; nor does
 * anything that succeeds take a count away, which somebody who has a license of their own could use.
 */
export interface Attempts {
  readonly guard: RequestHandler;
  /** Counts an unknown key against the address it came from, and says what to answer. */
  failed(req: Request, code?: ErrorCode): Promise<Refusal>;
}

/** @param redis shares the counts between instances; each counts for itself without it, and while it is away */
export function createAttempts(redis: RedisClient | undefined, prefix: string): Attempts {
  const limiter = createLimiter(redis, `${prefix}:attempts`);
  // Until when each waits. It is asked first: they cost no store anything, and wait on when Redis goes away. The
  // library's own block in memory is unbounded, and its get() does not look there.
  const waiting = new LRUCache<string, number>({ max: REMEMBERED });
  const mustWait = (network: string, { msBeforeNext }: RateLimiterRes): Refusal => {
    waiting.set(network, performance.now() + msBeforeNext);
    return tooMany(msBeforeNext);
  };
  return {
    guard: async (req, res, next) => {
      const network = networkOf(req.ip);
      const left = (waiting.get(network) ?? 0) - performance.now();
      if (left > 0) {
        answerRefusal(res, tooMany(left));
        return;
      }
      const state = await limiter.get(network);
      if (state === null || state.consumedPoints < ALLOWED) next();
      else answerRefusal(res, mustWait(network, state));
    },
    async failed(req, code = 'invalid_license_key') {
      const network = networkOf(req.ip);
      try {
        await limiter.consume(network);
        return refuse(code);
      } catch (error) {
        // Beyond the limit it is thrown: of a hundred that passed the guard together, ten learn that their key is wrong.
        if (error instanceof RateLimiterRes) return mustWait(network, error);
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
      await limiter.consume(networkOf(req.ip));
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      answerRefusal(res, tooMany(error.msBeforeNext));
      return;
    }
    next();
  };
}

function createLimiter(redis: RedisClient | undefined, keyPrefix: string): RateLimiterAbstract {
  const options = { points: ALLOWED, duration: WITHIN_SECONDS, keyPrefix };
  const memory = new BoundedMemory(options, REMEMBERED);
  if (redis === undefined) return memory;
  return new RateLimiterRedis({
    ...options,
    storeClient: redis,
    insuranceLimiter: memory,
  });
}

/** The library's, which keeps an entry and a timer of each key: here those that were not seen for longest go first. */
export class BoundedMemory extends RateLimiterMemory {
  readonly #known: LRUCache<string, true>;

  constructor(options: ConstructorParameters<typeof RateLimiterMemory>[0], max: number) {
    super(options);
    this.#known = new LRUCache<string, true>({
      max,
      dispose: (_, key, reason) => {
        if (reason === 'evict') void this.delete(key);
      },
    });
  }

  override consume(...args: Parameters<RateLimiterMemory['consume']>): Promise<RateLimiterRes> {
    this.#known.set(String(args[0]), true);
    return super.consume(...args);
  }
}

function tooMany(waitMs: number): Refusal {
  return refuse('too_many_attempts', {}, Math.max(1, Math.ceil(waitMs / 1_000)));
}
