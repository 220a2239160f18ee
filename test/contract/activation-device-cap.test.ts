import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hardwareIds } from '../support/admin-calls.ts';
import { startTestGateway, type JsonAnswer, type TestGateway } from '../support/gateway.ts';

const DEVICES = 50;

function activateAll(
  gateways: [TestGateway, ...TestGateway[]],
  licenseKey: string,
  prefix: string,
): Promise<JsonAnswer[]> {
  return Promise.all(
    Array.from({ length: DEVICES }, (_, index) => {
      const gateway = gateways[index % gateways.length] ?? gateways[0];
      const body = { license_key: licenseKey, hardware_id: `${prefix}-${index}` };
      return gateway.request('/activate', { body });
    }),
  );
}

async function assertCap(gateways: [TestGateway, ...TestGateway[]]): Promise<void> {
  const [gateway] = gateways;
  const { id, licenseKey } = await gateway.createLicense({ max_activations: 3 });
  const answers = await activateAll(gateways, licenseKey, 'hw');
  const counts = [200, 403].map((status) => answers.filter((answer) => answer.status === status).length);
  assert.deepEqual(counts, [3, DEVICES - 3]);
  const texts = new Set(answers.filter(({ status }) => status === 403).map(({ text }) => text));
  assert.deepEqual([...texts], ['{"error":"Maximum activations (3) reached","code":"device_limit_reached"}']);
  const activated = await hardwareIds(gateway, id);
  assert.equal(activated.length, 3);

  // A lost answer is repaired by asking again, even though the license is full.
  const [known = ''] = activated;
  await gateway.activate(licenseKey, known);
  const request = { license_key: licenseKey, hardware_id: known };
  assert.equal((await gateway.request('/deactivate', { body: request })).status, 200);
  const again = await activateAll(gateways, licenseKey, 'later');
  assert.equal(again.filter(({ status }) => status === 200).length, 1, 'one place became free');
}

it('B17: 50 devices at once on a license for 3, over two gateways: exactly 3 are activated', async (t) => {
  const one = await startTestGateway();
  t.after(() => one.close());
  const other = await startTestGateway({ joins: one });
  t.after(() => other.close());
  await assertCap([one, other]);
});

it('B17: 50 devices at once on a license for 3, on the embedded database: exactly 3 are activated', async (t) => {
  const gateway = await startTestGateway({ counters: 'memory', database: 'embedded' });
  t.after(() => gateway.close());
  await assertCap([gateway]);
});

it('a license without a limit of devices takes all 50', async (t) => {
  const gateway = await startTestGateway();
  t.after(() => gateway.close());
  const { licenseKey } = await gateway.createLicense({ max_activations: -1 });
  const answers = await activateAll([gateway], licenseKey, 'hw');
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
});
