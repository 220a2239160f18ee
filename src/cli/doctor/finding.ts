import { reasonOf } from '../terminal.ts';

export type State = 'ok' | 'warn' | 'fail';

/** What one check has found. Nothing of it holds a secret. */
export interface Finding {
  /** What was looked at: `redis`, `provider openai`. */
  check: string;
  state: State;
  /** What is the case, in one line. */
  found: string;
  /** What to do; undefined where there is nothing to do. */
  fix?: string;
}

/** How long a check may take. Milliseconds. */
export const CHECK_LIMIT = 5_000;

export const fine = (check: string, found: string): Finding => ({ check, state: 'ok', found });
export const warning = (check: string, found: string, fix: string): Finding => {
  return { check, state: 'warn', found, fix };
};
export const failure = (check: string, found: string, fix: string): Finding => {
  return { check, state: 'fail', found, fix };
};

/** Carries out a check; one that fails by itself, or takes too long, is a finding too. Never rejects. */
export async function examine(
  check: string,
  look: () => Promise<Finding[]> | Finding[],
  limitMs = CHECK_LIMIT,
): Promise<Finding[]> {
  const { promise: late, resolve } = Promise.withResolvers<Finding[]>();
  const timer = setTimeout(() => {
    const fix = 'find out what is slow: the network, the other side, or this machine';
    resolve([failure(check, `no answer within ${limitMs / 1_000} s`, fix)]);
  }, limitMs);
  try {
    return await Promise.race([Promise.resolve().then(look), late]);
  } catch (error) {
    return [failure(check, reasonOf(error), 'this check could not be made: see the reason')];
  } finally {
    clearTimeout(timer);
  }
}
