import { z } from 'zod';
import { deliveryStatuses, type Delivery } from '../../webhooks/deliveries.ts';
import { RefusalError } from '../errors.ts';
import { pageLimit, pageOf } from './cursor.ts';
import { reply, route, type AdminRoute } from './route.ts';
import { createdCursor } from './schemas.ts';

const tag = 'webhooks';
const deliveryCursor = createdCursor('delivery');

export const deliverySchema = z
  .object({
    id: z.string().meta({ example: 'whd_0123456789abcdef01234567' }),
    event: z.object({
      id: z
        .string()
        .meta({ description: 'The `webhook-id` header', example: 'evt_0123456789abcdef01234567' }),
      type: z.string().meta({ example: 'license.created' }),
      license: z.string().nullable(),
      payload: z.record(z.string(), z.unknown()).meta({ description: 'The body that is sent' }),
    }),
    webhook: z.string().meta({ example: 'whe_0123456789abcdef01234567' }),
    status: z.enum(deliveryStatuses),
    attempts: z.int(),
    next_attempt_at: z.iso.datetime().nullable().meta({ description: 'null: there will be none' }),
    last_attempt_at: z.iso.datetime().nullable(),
    response_status: z.int().nullable().meta({ description: 'Of the last attempt; null: no answer came' }),
    error: z.string().nullable().meta({ description: 'Why the last attempt failed' }),
    response_excerpt: z.string().nullable(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'WebhookDelivery' });

const deliveryAnswer = z.object({ delivery: deliverySchema });

const listDeliveries = route({
  method: 'get',
  path: '/webhooks/deliveries',
  name: 'listWebhookDeliveries',
  summary: 'List deliveries, the newest first',
  description: 'They are kept for 35 days.',
  tag,
  role: 'read',
  query: z.strictObject({
    status: z.enum(deliveryStatuses).optional(),
    endpoint: z.string().max(100).optional().meta({ description: 'Of this webhook (whe_…)' }),
    event: z.string().max(100).optional().meta({ description: 'Of this event (evt_…), or of this type' }),
    limit: pageLimit,
    cursor: deliveryCursor.schema.optional(),
  }),
  answers: { 200: { description: 'A page of deliveries', schema: pageOf(deliverySchema) } },
  async handle({ query: { limit, cursor, ...filter } }, { webhooks }) {
    const { deliveries, next } = await webhooks.deliveries.list(filter, limit, cursor);
    return reply(200, {
      data: deliveries.map(deliveryJson),
      next_cursor: next === undefined ? null : deliveryCursor.write(next),
    });
  },
});

const resendDelivery = route({
  method: 'post',
  path: '/webhooks/deliveries/:id/resend',
  name: 'resendWebhookDelivery',
  summary: 'Deliver again, at once, whatever became of it',
  description: 'It keeps its `webhook-id`, by which the receiver knows it.',
  tag,
  role: 'support',
  params: z.object({ id: z.string().meta({ description: 'whd_…' }) }),
  answers: { 202: { description: 'It is on its way', schema: deliveryAnswer } },
  errors: ['not_found', 'webhook_disabled'],
  async handle({ params: { id } }, { webhooks }) {
    const delivery = await webhooks.deliveries.find(id);
    if (delivery === undefined) throw new RefusalError('not_found', { what: `Delivery ${id.slice(0, 100)}` });
    const endpoint = await webhooks.endpoints.find(delivery.endpointId);
    if (endpoint?.enabled !== true) throw new RefusalError('webhook_disabled');
    return reply(202, { delivery: deliveryJson((await webhooks.deliveries.resend(id)) ?? delivery) });
  },
});

export function deliveryJson(delivery: Delivery): z.input<typeof deliverySchema> {
  return {
    id: delivery.id,
    event: {
      id: delivery.eventId,
      type: delivery.eventType,
      license: delivery.licenseId ?? null,
      payload: JSON.parse(delivery.payload) as Record<string, unknown>,
    },
    webhook: delivery.endpointId,
    status: delivery.status,
    attempts: delivery.attempts,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    last_attempt_at: delivery.lastAttemptAt?.toISOString() ?? null,
    response_status: delivery.responseStatus ?? null,
    error: delivery.error ?? null,
    response_excerpt: delivery.responseExcerpt ?? null,
    created_at: delivery.createdAt.toISOString(),
  };
}

/** What became of what was sent. */
export const deliveryRoutes: AdminRoute[] = [listDeliveries, resendDelivery];
