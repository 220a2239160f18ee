import { pino, type DestinationStream } from 'pino';

/**
 * Standard output, written once for all lines of a turn of the event loop: under load a line costs a fraction of a
 * system call, and without load it is written as soon as ever. Written by another thread, since a disk may be slow; a
 * process that exits writes what is left.
 */
export class BatchedLines implements DestinationStream {
  readonly #out: DestinationStream;
  #lines = '';

  constructor() {
    // Before pino's own listener, which ends the stream.
    process.once('exit', () => this.#flush());
    this.#out = pino.destination({ sync: false });
  }

  write(line: string): void {
    if (this.#lines === '') setImmediate(() => this.#flush());
    this.#lines += line;
  }

  #flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#out.write(lines);
  }
}
