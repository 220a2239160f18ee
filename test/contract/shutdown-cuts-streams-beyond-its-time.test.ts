import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { RawConnection } from '../support/raw-http.ts';
import { chatBytes, nextRequest, usageOf } from '../support/streams.ts';

const DRAIN = 1_000;

for (const counters of ['redis', 'memory'] as const) {
  it(`a stream that outlasts SHUTDOWN_TIMEOUT_MS is cut on both sides, and stays counted (${counters})`, async (t) => {
    // Owns the simulator and the database, and tells afterwards what was counted.
    const other = await startTestGateway({ counters, env: { SHUTDOWN_TIMEOUT_MS: String(DRAIN) } });
    t.after(() => other.close());
    const stopping = await startTestGateway({ joins: other });
    t.after(() => stopping.close());
    const device = await stopping.device();
    const client = await RawConnection.open(stopping.url);
    const receiving = nextRequest(other.simulator);
    await client.send(chatBytes(device, { stream: true, simulate: 'hang=mid-stream, chunks=8' }));
    const request = await receiving;
    await client.receives((bytes) => bytes.includes('"content":"'));

    const askedAt = performance.now();
    await stopping.close();
    const took = performance.now() - askedAt;
    t.diagnostic(`stopped after ${took.toFixed(0)} ms at a drain time of ${DRAIN}`);
    assert.ok(took >= DRAIN - 50);
    await client.closed();
    assert.doesNotMatch(client.received.toString('latin1'), /\r\n0\r\n/);
    await request.closed;
    assert.equal(request.aborted, true);
    assert.deepEqual(await usageOf(other, device), { today: 1, this_month: 1 });
  });
}
