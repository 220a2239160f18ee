import { setImmediate as others } from 'node:timers/promises';

/** How much of a body is walked at a time, so that a large one does not keep the others waiting. Bytes. */
export const TURN = 262_144;

/** Walks bytes a piece at a time, letting others take their turn in between, until the goal is reached. */
export async function inTurns(
  bytes: Buffer,
  walk: (piece: Buffer) => void,
  goal: { done: boolean } = { done: false },
): Promise<void> {
  for (let at = 0; at < bytes.length && !goal.done; at += TURN) {
    if (at > 0) await others();
    walk(bytes.subarray(at, at + TURN));
  }
}
