import { printFields, printTable } from './tables.ts';
import type { Terminal } from './terminal.ts';

/** A webhook as the admin API shows it. */
export interface WebhookJson {
  id: string;
  url: string;
  description: string;
  events: string[];
  enabled: boolean;
  disabled_reason: string | null;
  previous_secret_until: string | null;
  created_at: string;
}

export interface DeliveryJson {
  id: string;
  event: { id: string; type: string; license: string | null };
  webhook: string;
  status: string;
  attempts: number;
  next_attempt_at: string | null;
  response_status: number | null;
  error: string | null;
  created_at: string;
}

export function printWebhooks(terminal: Terminal, webhooks: WebhookJson[]): void {
  printTable(
    terminal,
    ['id', 'url', 'events', 'state', 'description'],
    webhooks.map((webhook) => [
      webhook.id,
      webhook.url,
      webhook.events.join(' '),
      stateOf(webhook),
      webhook.description,
    ]),
  );
}

export function printWebhook(terminal: Terminal, webhook: WebhookJson): void {
  printFields(terminal, [
    ['id', webhook.id],
    ['url', webhook.url],
    ['events', webhook.events.join(' ')],
    ['state', stateOf(webhook)],
    ['description', webhook.description || '–'],
    ['created', webhook.created_at],
  ]);
}

function stateOf({ enabled, disabled_reason: reason }: WebhookJson): string {
  if (enabled) return 'enabled';
  return reason === null ? 'disabled' : `disabled: ${reason}`;
}

export function printDeliveries(terminal: Terminal, deliveries: DeliveryJson[]): void {
  printTable(
    terminal,
    ['id', 'event', 'webhook', 'status', 'attempts', 'last answer', 'next attempt', 'created'],
    deliveries.map((delivery) => [
      delivery.id,
      delivery.event.type,
      delivery.webhook,
      delivery.status,
      String(delivery.attempts),
      delivery.error ?? (delivery.response_status === null ? '–' : String(delivery.response_status)),
      delivery.next_attempt_at ?? '–',
      delivery.created_at,
    ]),
  );
}
