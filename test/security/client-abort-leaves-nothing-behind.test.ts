import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { PATIENCE, RawConnection, rawRequest } from '../support/raw-http.ts';
import {
  assertNothingOpen,
  CHAT_PATH,
  chatBytes,
  fetchChat,
  FORMS,
  inMegabytes,
  MEGABYTE,
  memoryInUse,
  nextRequest,
} from '../support/streams.ts';

const ABORTS = 1_000;
const AT_ONCE = 25;

/** One request for each moment at which a client can leave. */
function requestsOf(device: TestDevice): Buffer[] {
  const upload = rawRequest(
    `POST ${CHAT_PATH}`,
    [`Authorization: Bearer ${device.proxyKey}`, 'Content-Type: application/json', 'Content-Length: 100000'],
    `{"model":"gpt-4o","x":"${'x'.repeat(50_000)}`,
  );
  const whole = FORMS.flatMap((form) => [
    chatBytes(device, { form, stream: true, simulate: 'hang=before-headers' }),
    chatBytes(device, { form, stream: true, simulate: 'hang=mid-stream, chunks=4' }),
  ]);
  return [...whole, upload];
}

describe('1,000 clients that go away', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory', env: { LOG_LEVEL: 'silent' } });
    device = await gateway.device({ tier: 'enterprise' });
  });
  after(() => gateway.close());

  async function abortOnce(index: number): Promise<void> {
    const requests = requestsOf(device);
    const bytes = requests[index % requests.length] ?? assert.fail();
    const client = await RawConnection.open(gateway.url);
    const received = nextRequest(gateway.simulator);
    await client.send(bytes);
    await received;
    if (index % 2 === 0) client.destroy();
    else client.reset();
  }

  async function abort(count: number): Promise<void> {
    for (let done = 0; done < count; done += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => abortOnce(done + index)));
    }
    await assertNothingOpen(gateway);
    gateway.simulator.reset();
  }

  it('leave no socket, no open request and no memory behind, and the gateway serves on', async (t) => {
    await abort(200);
    const before = memoryInUse();
    await abort(ABORTS);
    const growth = memoryInUse() - before;
    t.diagnostic(`${ABORTS} aborts: memory ${inMegabytes(growth)} more (${inMegabytes(before)} before)`);
    // Each of them cut its connection to the provider: not even the pool has one.
    await eventually(() => assert.equal(gateway.simulator.openSockets(), 0), PATIENCE);
    assert.ok(growth < 20 * MEGABYTE);
    const answer = await fetchChat(gateway, device);
    assert.equal(answer.status, 200);
    await answer.text();
  });
});
