import { TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

/** Spans and milliseconds. */
export interface QueueBounds {
  /** More than so many are dropped; those that are being sent count as well. */
  readonly spans: number;
  readonly batch: number;
  /** A batch that does not fill is sent so long after its first span. */
  readonly every: number;
  /** How long sending a batch may take, whatever the receiver does. */
  readonly within: number;
  /** How long sending what is left may take at the end. */
  readonly closeWithin: number;
}

/** The way to the receiver. */
export interface SpanSender {
  /** @throws why the receiver has not got them */
  send(spans: ReadableSpan[]): Promise<void>;
  /** Breaks off what is under way. */
  abort(): void;
}

interface Options {
  sender: SpanSender;
  bounds: QueueBounds;
  /** Told how each batch went. */
  report: { failed(error: unknown): void; succeeded(): void };
}

/**
 * Sends spans in batches, one after the other. Instead of the SDK's BatchSpanProcessor: that one begins a further export
 * beside the next whenever one has failed, up to 30 at a time, each with a batch that no bound of its queue counts.
 */
export class SpanQueue implements SpanProcessor {
  readonly #options: Options;
  #waiting: ReadableSpan[] = [];
  /** How many are being sent. */
  #underWay = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  onStart(): void {
    // Nothing is kept of a span that has not ended: of those there are a few for each request under way.
  }

  onEnd(span: ReadableSpan): void {
    const { spans, batch } = this.#options.bounds;
    const isSampled = (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
    if (!isSampled || this.#closing !== undefined) return;
    if (this.#waiting.length + this.#underWay >= spans) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length >= batch) this.#start();
    else this.#schedule();
  }

  async forceFlush(): Promise<void> {
    await this.#sending;
    while (this.#waiting.length > 0) await this.#sendBatch();
  }

  /** Sends what is left, as long as that may take; then nothing is under way. */
  shutdown(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    const { bounds, sender } = this.#options;
    await isDoneWithin(bounds.closeWithin, this.forceFlush());
    this.#waiting = [];
    sender.abort();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#start(), this.#options.bounds.every).unref();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    this.#sending ??= this.#sendBatches().finally(() => {
      this.#sending = undefined;
      if (this.#waiting.length > 0 && this.#closing === undefined) this.#schedule();
    });
  }

  async #sendBatches(): Promise<void> {
    do await this.#sendBatch();
    while (this.#waiting.length >= this.#options.bounds.batch);
  }

  /** Never rejects: what cannot be sent in its time is dropped. */
  async #sendBatch(): Promise<void> {
    const { sender, bounds, report } = this.#options;
    const spans = this.#waiting.splice(0, bounds.batch);
    this.#underWay = spans.length;
    try {
      if (!(await isDoneWithin(bounds.within, sender.send(spans)))) {
        sender.abort();
        throw new Error(`the receiver has not taken them within ${bounds.within} ms`);
      }
      if (this.#dropped > 0) throw new Error(`${this.#dropped} were dropped: the receiver is too slow`);
      report.succeeded();
    } catch (error) {
      report.failed(error);
    } finally {
      this.#underWay = 0;
      this.#dropped = 0;
    }
  }
}

/** @throws what the work throws in that time */
async function isDoneWithin(ms: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, ms, false)));
  try {
    return await Promise.race([work.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
