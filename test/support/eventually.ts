import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again every few milliseconds until the check passes, and fails with its own error when the time is over. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs: number): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await sleep(10);
  }
}
