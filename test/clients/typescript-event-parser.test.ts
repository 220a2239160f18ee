import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { streamEvents } from '../../clients/typescript/src/completeness.ts';
import { readEvents, type ServerSentEvent } from '../../clients/typescript/src/events.ts';
import { drain } from '../support/client-stage.ts';

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.slice(at, at + size));
}

async function parsed(text: string, size: number): Promise<ServerSentEvent[]> {
  const body = ReadableStream.from<Uint8Array>(inPieces(new TextEncoder().encode(text), size));
  const { items, error } = await drain(readEvents(body));
  assert.equal(error, undefined);
  return items;
}

/** Every field and line end that the standard knows. */
const TEXT =
  '\u{feff}: hello\n\nevent: one\r\ndata: {"a":\r\ndata:  "ü"}\r\nid: 7\r\n\r\ndata\n\ndata:🌍\rretry: 9\r\r' +
  'event: without data\n\ndata: after it\n\ndata: never finished\n';

const EVENTS = [
  { event: 'one', data: '{"a":\n "ü"}' },
  { event: 'message', data: '' },
  { event: 'message', data: '🌍' },
  { event: 'message', data: 'after it' },
];

describe('server-sent events are read as the standard says', () => {
  for (const size of [1, 2, 3, 7, 1_000]) {
    it(`in pieces of ${size} bytes`, async () => {
      assert.deepEqual(await parsed(TEXT, size), EVENTS);
    });
  }

  it('an event of megabytes in small pieces takes no time', { timeout: 10_000 }, async () => {
    const data = 'x'.repeat(8 * 1024 * 1024);
    const [event] = await parsed(`data: ${data}\n\n`, 16_384);
    assert.equal(event?.data.length, data.length);
  });
});

describe('a stream is complete only where the provider said so', () => {
  const read = (text: string) => drain(streamEvents(new Response(text)));

  it('an end without its last event throws, however cleanly the connection ended', async () => {
    for (const text of [
      '',
      'data: {"choices":[]}\n\n',
      'event: message_start\ndata: {"type":"message_start"}\n\n',
      'data: [DONE]',
    ]) {
      const { error } = await read(text);
      assert.equal((error as Error | undefined)?.name, 'IncompleteError', text);
    }
  });

  it('an error in the stream throws as the provider put it', async () => {
    const forms = [
      'data: {"error":{"message":"broken","type":"server_error","code":"oops"}}\n\n',
      'event: error\ndata: {"type":"error","error":{"type":"oops","message":"broken"}}\n\n',
      'event: error\ndata: {"type":"error","code":"oops","message":"broken"}\n\n',
    ];
    for (const text of forms) {
      const { error } = await read(text);
      const { name, message, code } = error as { name: string; message: string; code: string };
      assert.deepEqual([name, message, code], ['ProviderError', 'broken', 'oops']);
    }
  });
});
