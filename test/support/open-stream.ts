import assert from 'node:assert/strict';
import type { TestDevice, TestGateway } from './gateway.ts';
import { fetchChat, type ChatOptions } from './streams.ts';

/** A streamed answer of which the first piece has arrived. */
export interface OpenStream {
  /** Resolves when the stream is over: whether it was cut, and when (as of `performance.now()`). */
  readonly over: Promise<{ cut: boolean; at: number }>;
  isOpen(): boolean;
  /** Leaves it, as a client does that has enough. */
  leave(): void;
}

/** Opens a stream that would go on for minutes. */
export async function openStream(
  gateway: TestGateway,
  device: TestDevice,
  options: ChatOptions = {},
): Promise<OpenStream> {
  const leaving = new AbortController();
  const answer = await fetchChat(gateway, device, {
    stream: true,
    simulate: 'chunks=10000, chunk-delay=50',
    ...options,
    signal: leaving.signal,
  });
  assert.equal(answer.status, 200);
  assert.ok(answer.body);
  const reader = answer.body.getReader();
  assert.equal((await reader.read()).done, false);
  let open = true;
  const over = drain(reader).then((cut) => {
    open = false;
    return { cut, at: performance.now() };
  });
  return { over, isOpen: () => open, leave: () => leaving.abort() };
}

/** Whether the stream broke off, rather than came to its end. */
async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<boolean> {
  try {
    while (!(await reader.read()).done);
    return false;
  } catch {
    return true;
  }
}
