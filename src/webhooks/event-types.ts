/** What an endpoint can ask to be told of. */
export const eventTypes = [
  'license.created',
  'license.activated',
  'license.suspended',
  'license.reinstated',
  'license.revoked',
  'license.expiring',
  'license.expired',
  'usage.threshold',
] as const;

/** What happened; a test is sent to one endpoint, whatever it asked for. */
export type EventType = (typeof eventTypes)[number] | 'webhook.test';

/** Stands for all types, those of later versions too. */
export const ALL_EVENTS = '*';

/** `license.expiring` comes so long before the end. Milliseconds. */
export const EXPIRING_BEFORE = 7 * 86_400_000;

/** An event as it goes into the outbox. */
export interface NewEvent {
  type: EventType;
  /** When it happened, in milliseconds since the epoch: the payload's `timestamp`. */
  at: number;
  licenseId: string;
  /** What the payload holds as `data`. */
  data: object;
  /** Where set, an event that is already there with the same key is the same event. */
  onceKey?: string | undefined;
  /** Only endpoints that were there when it happened: for what is found some time later. */
  onlyEndpointsOfThen?: boolean;
}

/** The body of a webhook (https://github.com/standard-webhooks/standard-webhooks, § Payload structure). */
export function payloadOf({ type, at, data }: Pick<NewEvent, 'type' | 'at' | 'data'>): string {
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });
}
