import http from 'node:http';
import { once } from 'node:events';
import { OPENAI_KEY } from '../test/support/simulator/keys.ts';
import type { LoadRequest } from './load/load.ts';
import type { Rig } from './rig.ts';
import { EVENT_GAP_MS, type ContenderName, type Row } from './rows.ts';

/** Somebody who answers a row's request. */
export interface Contender {
  readonly name: ContenderName;
  readonly request: LoadRequest;
  /** The process whose CPU and memory count; undefined where only the simulator works. */
  readonly pid: number | undefined;
  /** Whether each request is counted against the license. */
  readonly isCounted: boolean;
}

const PATH = '/v1/chat/completions';

/** How a contender is asked for the answer of a row. */
export function contenderOf(rig: Rig, row: Row, name: ContenderName): Contender {
  const contender = findContender(rig, row, name);
  if (contender === undefined) throw new Error(`${name} is not running`);
  return contender;
}

/** The same; undefined where it cannot be had on this machine. */
export function findContender(rig: Rig, row: Row, name: ContenderName): Contender | undefined {
  const body = bodyOf(row);
  const simulate = row.events === undefined ? undefined : `chunks=${row.events},chunk-delay=${EVENT_GAP_MS}`;
  const headers = (key: string | undefined): LoadRequest['headers'] => ({
    'Content-Type': 'application/json',
    ...(key !== undefined && { Authorization: `Bearer ${key}` }),
    ...(simulate !== undefined && { 'x-simulate': simulate }),
  });
  const { simulator, relay, gateway, peers, device } = rig;
  const proxied = `${gateway.url}/proxy/openai${PATH}`;
  switch (name) {
    case 'direct': {
      const request = { url: simulator.url + PATH, headers: headers(OPENAI_KEY), body };
      return { name, request, pid: undefined, isCounted: false };
    }
    case 'nginx':
    case 'haproxy':
    case 'portkey': {
      const peer = peers[name];
      if (peer === undefined) return undefined;
      const request = {
        url: peer.url + PATH,
        headers: { ...headers(OPENAI_KEY), ...forPortkey(simulator.url) },
        body,
      };
      return { name, request, pid: peer.pid, isCounted: false };
    }
    case 'bare': {
      const request = { url: relay.url + PATH, headers: headers('replaced-by-the-relay'), body };
      return { name, request, pid: relay.pid, isCounted: false };
    }
    case 'gateway': {
      const request = { url: proxied, headers: headers(device.proxyKey), body };
      return { name, request, pid: gateway.pid, isCounted: true };
    }
    case 'envelope': {
      const request = { url: proxied, headers: headers(undefined), body: enveloped(body, device.proxyKey) };
      return { name, request, pid: gateway.pid, isCounted: true };
    }
  }
}

/** Which provider Portkey is to ask, and where; the others pass it on unread. */
function forPortkey(target: string): LoadRequest['headers'] {
  return { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${target}/v1` };
}

/** How many bytes one whole answer takes on the wire, head and framing included. */
export async function answerBytes({ url, headers, body }: LoadRequest): Promise<number> {
  const request = http.request(url, { method: 'POST', headers: { ...headers }, agent: false });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode ?? 0}`);
  return answer.socket.bytesRead;
}

function bodyOf(row: Row): Buffer {
  const sentence = 'How many licenses does a gateway of one core serve in a second? ';
  const content = sentence.repeat(Math.ceil(row.promptBytes / sentence.length)).slice(0, row.promptBytes);
  return Buffer.from(
    JSON.stringify({
      model: 'gpt-4o-mini',
      temperature: 0.2,
      ...(row.events !== undefined && { stream: true }),
      messages: [{ role: 'user', content }],
    }),
  );
}

function enveloped(body: Buffer, proxyKey: string): Buffer {
  const head = { proxy_key: proxyKey, provider: 'openai', hardware_id: 'bench' };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head).slice(0, -1)},"body":`), body, Buffer.from('}')]);
}
