/** What became of a signature: good, and for how long it would be; or a sentence that says what is wrong with it. */
export type Verdict =
  | {
      ok: true;
      /** The same for every way of writing this one signature down. */
      signature: Buffer;
      /** Milliseconds since 1970. */
      acceptableUntil: number;
    }
  | { ok: false; problem: string };

/** How far the time of a signature may be from ours, either way. Milliseconds. */
export const TOLERANCE = 300_000;

export function bad(problem: string): { ok: false; problem: string } {
  return { ok: false, problem };
}

/**
 * What is wrong with the time at which something was signed; undefined where nothing is.
 * @param seconds since 1970
 * @param now milliseconds since 1970
 */
export function timeProblem(seconds: number, now: number): string | undefined {
  if (Math.abs(seconds * 1_000 - now) <= TOLERANCE) return undefined;
  const server = Math.floor(now / 1_000);
  return `It was signed at ${seconds}, which is more than ${TOLERANCE / 1_000} seconds off the server's time, ${server}`;
}
