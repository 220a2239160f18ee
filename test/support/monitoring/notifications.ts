import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** An alert as Alertmanager tells it (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config). */
export interface Notification {
  /** Of the configuration: `pager` or `tickets`. */
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Where Alertmanager sends to, in place of a pager. */
export interface NotificationSink {
  readonly url: string;
  readonly received: readonly Notification[];
  close(): Promise<void>;
}

/** Listens on a free port, and keeps every alert of every message. */
export async function startNotificationSink(): Promise<NotificationSink> {
  const received: Notification[] = [];
  const server = createServer((request, response) => {
    json(request).then(
      (message) => {
        const { receiver, alerts } = message as {
          receiver: string;
          alerts: Omit<Notification, 'receiver'>[];
        };
        received.push(...alerts.map((alert) => ({ ...alert, receiver })));
        response.end();
      },
      () => response.writeHead(400).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
