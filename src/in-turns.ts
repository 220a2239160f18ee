import { setImmediate as others } from 'node:timers/promises';
import type { Pieces } from './pieces.ts';

/** How much of a body is walked at a time, so that a large one does not keep the others waiting. Bytes. */
export const TURN = 262_144;

/** Walks bytes a piece at a time, letting others take their turn in between, until the goal is reached. */
export async function inTurns(
  pieces: Pieces,
  walk: (piece: Buffer) => void,
  goal: { readonly done: boolean } = { done: false },
): Promise<void> {
  let walked = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += TURN) {
      if (goal.done) return;
      const part = piece.subarray(at, at + TURN);
      if (walked > 0 && walked + part.length > TURN) {
        await others();
        walked = 0;
      }
      walk(part);
      walked += part.length;
    }
  }
}
