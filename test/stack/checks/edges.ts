import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { OPENAI_KEY } from '../../support/simulator/keys.ts';
import { CHAT_PATH } from '../../support/streams.ts';
import { figure, since } from '../figures.ts';
import type { World } from '../world.ts';
import { chat } from './requests.ts';

const PATIENCE = 60_000;
/** Wrong license keys from one address before it is refused (contract §3). */
const ATTEMPTS = 10;

/** Well-formed, and nobody's. */
const wrongKey = { license_key: 'LIC-00000-00000-00000-00000-00000', hardware_id: 'x' };

/** An address cannot hide behind others that it makes up, and another address does not pay for it. */
export async function forgedAddressesHelpNobody({ stack }: World): Promise<void> {
  const statuses: number[] = [];
  for (let attempt = 0; attempt <= ATTEMPTS; attempt += 1) {
    const forged = `203.0.113.${attempt}`;
    const answer = await fetch(`${stack.url}/activate`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-forwarded-for': forged,
        forwarded: `for=${forged}`,
        'x-real-ip': forged,
      },
      body: JSON.stringify(wrongKey),
    });
    await answer.text();
    statuses.push(answer.status);
  }
  const elsewhere = await stack.ask('http://haproxy:8080/activate', wrongKey);
  figure(
    'wrong keys with forged addresses; then from elsewhere',
    `${statuses.join(' ')}; ${elsewhere.status}`,
  );
  assert.deepEqual(statuses, [...Array<number>(ATTEMPTS).fill(401), 429]);
  assert.equal(elsewhere.status, 401);
}

/** A key file that an editor replaces, rather than writes to, reaches the gateways too. */
export async function rotatedKeyIsTakenOver({ stack, customers }: World): Promise<void> {
  const { devices } = await customers.add({ tier: 'enterprise' });
  const file = join(stack.secrets, 'provider_keys/openai');
  const replace = (key: string): void => {
    writeFileSync(`${file}.new`, `${key}\n`, { mode: 0o644 });
    renameSync(`${file}.new`, file);
  };
  const allAnswer = async (status: number): Promise<void> => {
    // More than there are gateways, on connections of their own: the least busy one is another each time.
    const statuses = await Promise.all(
      Array.from({ length: 9 }, async () => {
        const answer = await fetch(stack.url + CHAT_PATH, {
          method: 'POST',
          ...chat(devices[0], 'delay=100'),
        });
        await answer.text();
        return answer.status;
      }),
    );
    assert.deepEqual(new Set(statuses), new Set([status]));
  };
  replace('sk-no-longer-valid');
  const began = performance.now();
  await eventually(() => allAnswer(502), PATIENCE);
  figure('a replaced key file is in use at all gateways after', `${since(began)} ms`);
  replace(OPENAI_KEY);
  await eventually(() => allAnswer(200), PATIENCE);
}

/** HAProxy's own answer has the contract's form and says when to come back. */
export async function withoutGatewaysItSaysSo({ stack }: World): Promise<void> {
  await stack.compose(['stop', '-t', '45', 'gateway']);
  const answer = await eventually(async () => {
    const got = await fetch(`${stack.url}/tiers`);
    assert.equal(got.status, 503);
    return got;
  }, PATIENCE);
  const body = (await answer.json()) as { error: string; code: string };
  figure('no gateway: status, code, Retry-After', `503, ${body.code}, ${answer.headers.get('retry-after')}`);
  assert.equal(body.code, 'no_gateway_available');
  assert.equal(typeof body.error, 'string');
  assert.equal(answer.headers.get('retry-after'), '1');
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
}
