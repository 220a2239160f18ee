import http from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { openLongStream } from '../cluster/streams.ts';
import type { TestDevice } from '../gateway.ts';

const PROVIDERS = {
  openai: {
    path: '/proxy/openai/v1/chat/completions',
    body: { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] },
  },
  anthropic: {
    path: '/proxy/anthropic/v1/messages',
    body: { model: 'claude-sonnet-4-5', max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] },
  },
} as const;

/** What a provider does wrong, by the directive for the simulator. */
const FAILURES = ['status=429', 'status=500', 'status=401', 'die=before-headers', 'die=mid-json'];

interface Ask {
  readonly simulate?: string;
  readonly stream?: boolean;
  /** Go away when the answer begins. */
  readonly leave?: boolean;
}

/** Customers and providers at their best and at their worst, until it is stopped. */
export interface MixedTraffic {
  /** How often everything has happened. */
  rounds(): number;
  stop(): Promise<void>;
}

/**
 * Each round has all of it, on both providers: answers, streams, clients that leave, every failure of a provider, limits
 * reached, activations, keys that were never issued, a license that is revoked while it streams.
 */
export async function startMixedTraffic(cluster: Cluster): Promise<MixedTraffic> {
  const { url, customers } = cluster;
  const agent = new http.Agent({ keepAlive: true });
  const unlimited = { tier: 'enterprise', daily_limit: -1, monthly_limit: -1 };
  const [good] = (await customers.add(unlimited)).devices;
  const [ofTheDay] = (await customers.add({ daily_limit: 2, monthly_limit: -1 })).devices;
  const [ofTheMonth] = (await customers.add({ daily_limit: -1, monthly_limit: 2 })).devices;
  const [stranger] = (await customers.add()).devices;
  const wrong = { ...stranger, proxyKey: stranger.proxyKey.slice(0, -12) + 'x'.repeat(12) };
  let rounds = 0;
  const stopping = new AbortController();

  const round = async (): Promise<void> => {
    for (const provider of ['openai', 'anthropic'] as const) {
      const one = (device: TestDevice, options: Ask = {}): Promise<void> =>
        ask(url, agent, provider, device, options);
      await Promise.all([one(good), one(good, { stream: true }), one(good, { stream: true, leave: true })]);
      await Promise.all(FAILURES.map((simulate) => one(good, { simulate })));
      await Promise.all([
        one(good, { stream: true, simulate: 'die=mid-stream' }),
        one(ofTheDay),
        one(ofTheMonth),
      ]);
      await one(wrong);
    }
    await revokeWhileStreaming(cluster);
    rounds += 1;
  };
  const working = (async () => {
    while (!stopping.signal.aborted) {
      await round();
      await sleep(200); // a pace that leaves the machine to those who watch
    }
  })();
  return {
    rounds: () => rounds,
    async stop() {
      stopping.abort();
      await working;
      agent.destroy();
    },
  };
}

async function revokeWhileStreaming({ url, customers }: Cluster): Promise<void> {
  const { licenseId, devices } = await customers.add();
  const stream = openLongStream(url, devices[0], 60);
  await stream.opened;
  await customers.admin(`/licenses/${licenseId}/revoke`, { method: 'POST' });
  await stream.over;
}

/** Sends one request and waits until it is over, whatever becomes of it. */
function ask(
  url: string,
  agent: http.Agent,
  provider: keyof typeof PROVIDERS,
  { proxyKey }: TestDevice,
  { simulate, stream = false, leave = false }: Ask,
): Promise<void> {
  const { path, body } = PROVIDERS[provider];
  const directives = leave ? 'chunks=200, chunk-delay=50' : simulate;
  return new Promise((resolve) => {
    const request = http.request(url + path, {
      agent,
      method: 'POST',
      headers: {
        authorization: `Bearer ${proxyKey}`,
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
        ...(directives !== undefined && { 'x-simulate': directives }),
      },
    });
    request.once('error', () => resolve());
    request.once('close', () => resolve());
    request.once('response', (response) => {
      response.once('error', () => undefined);
      if (leave) request.destroy();
      else
        text(response).then(
          () => resolve(),
          () => resolve(),
        );
    });
    request.end(JSON.stringify({ ...body, ...(stream && { stream }) }));
  });
}
