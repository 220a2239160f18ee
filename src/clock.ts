/** Where time comes from. Injected, so that a test can stand at one second before midnight. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
