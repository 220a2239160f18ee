import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { eventually } from './eventually.ts';
import type { TestGateway } from './gateway.ts';
import { rememberSecret } from './output.ts';

/** What a receiver got: one attempt. */
export interface Received {
  headers: IncomingHttpHeaders;
  /** The event's id, the `webhook-id` header. */
  id: string;
  body: string;
  payload: WebhookPayload;
  path: string;
}

export interface WebhookPayload {
  type: string;
  timestamp: string;
  data: Record<string, never>;
}

/** A status, or what is done with the answer; undefined: there is none, the connection stays open. */
export type Answer = number | ((res: ServerResponse) => void) | undefined;

/** A real HTTP server that webhooks are sent to. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** How the following attempts are answered. Default: 204. */
  answer: Answer;
  /** Waits for what matches. */
  next(matches: (one: Received) => boolean, withinMs?: number): Promise<Received>;
  ofType(type: string): Received[];
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((req, res) => {
    const pieces: Buffer[] = [];
    req.on('data', (piece: Buffer) => pieces.push(piece));
    req.on('end', () => {
      const body = Buffer.concat(pieces).toString();
      const payload = JSON.parse(body) as WebhookPayload;
      const id = String(req.headers['webhook-id']);
      received.push({ headers: req.headers, id, body, payload, path: req.url ?? '' });
      const { answer } = receiver;
      if (typeof answer === 'number') res.writeHead(answer).end();
      else answer?.(res);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received,
    answer: 204,
    next: (matches, withinMs = 10_000) =>
      eventually(() => {
        const found = received.find(matches);
        if (found !== undefined) return found;
        throw new Error(`not received; there is: ${received.map(({ payload }) => payload.type).join(', ')}`);
      }, withinMs),
    ofType: (type) => received.filter(({ payload }) => payload.type === type),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}

/** Settings with which a gateway may send webhooks to this machine, and can store their secrets. */
export const receiverSettings = {
  WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
  MASTER_KEY: Buffer.alloc(32, 'a key of tests').toString('base64'),
};

export interface TestWebhook {
  id: string;
  secret: string;
}

/** Registers a receiver with a gateway. */
export async function addWebhook(
  gateway: TestGateway,
  { url }: Pick<Receiver, 'url'>,
  events: string[] = ['*'],
): Promise<TestWebhook> {
  const answer = await gateway.admin('/webhooks', { body: { url, events } });
  if (answer.status !== 201) throw new Error(`no webhook was made: ${answer.status} ${answer.text}`);
  const { webhook, secret } = answer.body as unknown as { webhook: { id: string }; secret: string };
  rememberSecret(secret);
  return { id: webhook.id, secret };
}

/** What a receiver does first: it takes the payload if the signature is right. @throws if it is not */
export function verify(secret: string, { body, headers }: Received): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}

export interface TestDelivery {
  id: string;
  event: { id: string; type: string; license: string | null; payload: WebhookPayload };
  webhook: string;
  status: string;
  attempts: number;
  next_attempt_at: string | null;
  response_status: number | null;
  error: string | null;
  response_excerpt: string | null;
}

/** What the admin API says of deliveries. */
export async function deliveriesOf(gateway: TestGateway, query = ''): Promise<TestDelivery[]> {
  const answer = await gateway.admin(`/webhooks/deliveries?${query}`);
  if (answer.status !== 200) throw new Error(`no deliveries: ${answer.status} ${answer.text}`);
  return (answer.body as unknown as { data: TestDelivery[] }).data;
}
