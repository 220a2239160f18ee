import { announcesBody } from './body-watch.ts';
import { BufferedEngine } from './buffered-engine.ts';
import type { Engine, Outcome, Passage } from './passage.ts';
import { PipingEngine } from './piping-engine.ts';

export { cutOff, type BodyGuard, type Outcome, type Passage, type PassageTimes } from './passage.ts';

/**
 * Passes requests on to providers. It alone knows the engines: our own client for requests whose body has been read or who have
 * none, at half the CPU; http-proxy for bodies that are piped, such as uploads.
 */
export class Relay implements Engine {
  readonly #buffered: Engine;
  readonly #piping: Engine;

  /** @param timeoutMs the longest silence of a provider: before its headers, and between two chunks */
  constructor(timeoutMs: number) {
    this.#buffered = new BufferedEngine(timeoutMs);
    this.#piping = new PipingEngine(timeoutMs);
  }

  /** Resolves when nothing of the passage is under way any more. Never rejects. */
  pass(passage: Passage): Promise<Outcome> {
    const isPiped = passage.body === undefined && announcesBody(passage.req);
    return (isPiped ? this.#piping : this.#buffered).pass(passage);
  }

  close(): void {
    this.#buffered.close();
    this.#piping.close();
  }
}
