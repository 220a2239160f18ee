import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Lines } from '../../src/upstream/lines.ts';
import { BusyProvider, type Doing } from '../support/busy-provider.ts';

// A process that was busy finds what came meanwhile and the next request at the same moment (undici's advisory
// GHSA-35p6-xmwp-9g52): what came first must not be taken for the request's answer.
describe('what comes on an idle connection while the process is busy reaches no request', () => {
  let provider: BusyProvider;
  let lines: Lines;
  let asked = 0;
  before(async () => {
    provider = await BusyProvider.start();
    lines = new Lines(new URL(provider.url), 5_000);
  });
  after(async () => {
    lines.close();
    await provider.close();
  });

  function ask(): { own: string; answer: Promise<string> } {
    const own = `request-${(asked += 1)}`;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let body = '';
    lines.take().send(
      { method: 'GET', head: `GET / HTTP/1.1\r\nhost: x\r\nx-own: ${own}\r\n\r\n`, body: [] },
      {
        sent: () => undefined,
        head: () => undefined,
        piece: (bytes) => void (body += bytes.toString()),
        allRead: () => undefined,
        end: () => resolve(body),
        failed: reject,
      },
    );
    return { own, answer: promise };
  }

  async function askSome(): Promise<void> {
    const all = Array.from({ length: 5 }, ask);
    assert.deepEqual(
      await Promise.all(all.map(({ answer }) => answer)),
      all.map(({ own }) => own),
    );
  }

  for (const doing of ['answers', 'closes', 'resets'] satisfies Doing[]) {
    it(`the provider ${doing} right behind its answers`, async () => {
      await askSome();
      provider.whileBusy(doing);
      await askSome();
    });

    it(`the provider ${doing} later`, async () => {
      await askSome();
      for (let turns = 0; turns < 5; turns += 1) await turn();
      provider.whileBusy(doing);
      await askSome();
    });
  }
});
