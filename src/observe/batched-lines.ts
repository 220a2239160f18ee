import { pino, type DestinationStream } from 'pino';

/** Under load lines wait for each other so long. Milliseconds. */
const WRITE_EVERY = 50;
/** What an exit gives a write that another thread has begun: nobody is told of its end any more. Milliseconds. */
const GRACE = 100;

/**
 * Standard output, written at most once in a few milliseconds: under load a line costs a fraction of a system call, and
 * without load it is written at the end of its turn of the event loop. Written by another thread, since a disk may be
 * slow; a process that exits writes what is left.
 */
export class BatchedLines implements DestinationStream {
  readonly #out = pino.destination({ sync: false });
  #lines = '';
  #writtenAt = -Infinity;
  #underWay = false;

  constructor() {
    this.#out.on('drain', () => (this.#underWay = false));
    process.once('exit', () => this.#writeRest());
  }

  write(line: string): void {
    if (this.#lines === '') this.#flushSoon();
    this.#lines += line;
  }

  #flushSoon(): void {
    const flush = (): void => this.#flush();
    if (performance.now() - this.#writtenAt > WRITE_EVERY) setImmediate(flush);
    else setTimeout(flush, WRITE_EVERY).unref(); // an exit writes it anyway
  }

  #flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    this.#writtenAt = performance.now();
    if (lines === '') return;
    this.#underWay = true;
    this.#out.write(lines);
  }

  /** Nobody waits for another thread any more: here and now. */
  #writeRest(): void {
    // Else what follows might overtake it.
    if (this.#underWay) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, GRACE);
    this.#out.flushSync();
    if (this.#lines !== '') pino.destination({ sync: true }).write(this.#lines);
  }
}
