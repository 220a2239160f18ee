import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { it, type TestContext } from 'node:test';
import { temporaryFolder } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { RawConnection } from '../support/raw-http.ts';
import { serve, type Served } from '../support/served.ts';
import { chatBytes, fetchChat, startProvider } from '../support/streams.ts';

/** Answers plain requests at once, and leaves the stream to the test. */
async function startHolder(t: TestContext): Promise<{ url: string; stream: Promise<ServerResponse> }> {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  const provider = await startProvider((req, res) => {
    void json(req).then((body) => {
      if ((body as { stream?: boolean }).stream === true) {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
        resolve(res);
      } else {
        res.end('{}');
      }
    });
  });
  t.after(() => provider.close());
  return { url: provider.url, stream: promise };
}

async function assertUnready({ internalUrl }: Served): Promise<void> {
  const ready = await fetch(`${internalUrl}/health/ready`);
  assert.equal(ready.status, 503);
  assert.deepEqual(await ready.json(), { status: 'not ready', reason: 'shutting down' });
}

it('SIGTERM: unready, the open stream ends in order, exit code 0, and the next start counts on', async (t) => {
  using folder = temporaryFolder();
  const provider = await startHolder(t);
  const first = await serve(folder.path, provider);
  t.after(() => first.end());
  const device = await first.device({ daily_limit: 8 });
  for (let request = 0; request < 4; request += 1) await (await fetchChat(first, device)).text();
  const client = await RawConnection.open(first.url);
  await client.send(chatBytes(device, { stream: true }));
  const stream = await provider.stream;
  await client.receives((bytes) => bytes.includes('data: first'));

  first.process.child.kill('SIGTERM');
  await eventually(() => assertUnready(first), 15_000);
  stream.end('data: [DONE]\n\n');
  assert.equal((await client.next())?.body.toString(), 'data: first\n\ndata: [DONE]\n\n');
  assert.equal(await first.process.ended(), 0);
  assert.match(first.process.output(), /"signal":"SIGTERM"[^]*"msg":"stopped"/);

  const second = await serve(folder.path, provider);
  t.after(() => second.end());
  assert.equal(await second.usedToday(device), 5);
  const statuses: number[] = [];
  for (let request = 0; request < 5; request += 1) {
    const next = await fetchChat(second, device);
    statuses.push(next.status);
    await next.text();
  }
  assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
  second.process.child.kill('SIGTERM');
  assert.equal(await second.process.ended(), 0);
});
