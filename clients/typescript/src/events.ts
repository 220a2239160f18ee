/** One server-sent event. */
export interface ServerSentEvent {
  /** `message` where the stream names none. */
  event: string;
  data: string;
}

/**
 * Cuts a body into server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 * What stands after the last blank line is no event. Leaving the loop early cancels the body.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder(); // drops a byte order mark
  const parser = new EventParser();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
    ended = true;
  } finally {
    if (!ended) await reader.cancel().catch(() => undefined);
  }
}

class EventParser {
  #rest = '';
  #event = '';
  #data: string[] = [];

  /** The events that a piece of text completes. */
  *push(text: string): Generator<ServerSentEvent, void> {
    const isWithin = !this.#rest.endsWith('\r') && !/[\r\n]/.test(text);
    this.#rest += text;
    if (isWithin) return; // a line of megabytes is not looked through again for each of its pieces
    // A CR at the end may be half of a CRLF: its line waits for what comes next.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') {
        this.#field(line);
        continue;
      }
      if (this.#data.length > 0) yield { event: this.#event || 'message', data: this.#data.join('\n') };
      this.#event = '';
      this.#data = [];
    }
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment, which keeps the connection awake
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#event = value;
    else if (name === 'data') this.#data.push(value);
  }
}
