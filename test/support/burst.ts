import http from 'node:http';
import { text } from 'node:stream/consumers';
import type { NewTestLicense, TestGateway } from './gateway.ts';

export interface BurstCall {
  gateway: TestGateway;
  proxyKey: string;
}

export interface BurstAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

const BODY = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] });

/** So many calls of one new license, in turns from each of its five devices to each of the gateways. */
export async function callsOfFiveDevices(
  gateways: readonly [TestGateway, ...TestGateway[]],
  fields: NewTestLicense,
  times: number,
): Promise<{ licenseId: string; calls: BurstCall[] }> {
  const [first] = gateways;
  const { id, licenseKey } = await first.createLicense({ ...fields, max_activations: 5 });
  const keys: string[] = [];
  for (let device = 1; device <= 5; device += 1) keys.push(await first.activate(licenseKey, `hw-${device}`));
  const calls = Array.from({ length: times }, (_, index) => ({
    gateway: gateways[index % gateways.length] ?? first,
    proxyKey: keys[Math.floor(index / gateways.length) % keys.length] ?? '',
  }));
  return { licenseId: id, calls };
}

/** Sends chat completions at the same time, over so many sockets a gateway; the answers come in the order of the calls. */
export async function burst(calls: readonly BurstCall[], sockets = 200): Promise<BurstAnswer[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: sockets });
  try {
    return await Promise.all(calls.map((call) => send(call, agent)));
  } finally {
    agent.destroy();
  }
}

/** How often each status was answered. */
export function statuses(answers: readonly BurstAnswer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function send({ gateway, proxyKey }: BurstCall, agent: http.Agent): Promise<BurstAnswer> {
  return postChat(gateway.url, proxyKey, BODY, agent);
}

/** One chat completion, over the agent's sockets. @throws if the connection breaks */
export async function postChat(
  url: string,
  proxyKey: string,
  payload: string,
  agent?: http.Agent,
): Promise<BurstAnswer> {
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = http.request(`${url}/proxy/openai/v1/chat/completions`, {
      ...(agent !== undefined && { agent }),
      method: 'POST',
      headers: {
        authorization: `Bearer ${proxyKey}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(payload),
      },
    });
    request.once('response', resolve);
    request.once('error', reject);
    request.end(payload);
  });
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
}
