import { z } from 'zod';
import { ForbiddenTarget } from '../../webhooks/address-policy.ts';
import { MAX_ENDPOINTS, NoMasterKey, TooManyEndpoints, type Endpoint } from '../../webhooks/endpoints.ts';
import { ALL_EVENTS, eventTypes } from '../../webhooks/event-types.ts';
import { RefusalError } from '../errors.ts';
import { paged, pageLimit, pageOf } from './cursor.ts';
import { deliveryJson, deliverySchema } from './webhook-deliveries.ts';
import { reply, route, type AdminRoute } from './route.ts';
import { createdCursor } from './schemas.ts';

const tag = 'webhooks';
const webhookCursor = createdCursor('webhook');

const events = z
  .array(z.enum([ALL_EVENTS, ...eventTypes]))
  .min(1)
  .max(20)
  .meta({ description: 'Types of events; `*` stands for all, those of later versions too' });
const url = z.string().min(1).max(2_000).meta({
  description: 'https, at a public address unless WEBHOOK_ALLOWED_HOSTS lists the host',
  example: 'https://example.com/webhooks',
});
const description = z
  .string()
  .trim()
  .max(200)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, 'must be printable characters');

const webhookSchema = z
  .object({
    id: z.string().meta({ example: 'whe_0123456789abcdef01234567' }),
    url: z.string(),
    description: z.string(),
    events: z.array(z.string()),
    enabled: z.boolean(),
    disabled_reason: z.string().nullable().meta({ description: 'Set where no administrator disabled it' }),
    previous_secret_until: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'Until then the secret before the last rotation signs too' }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Webhook' });

const webhookId = z.object({ id: z.string().meta({ description: 'whe_…' }) });
const webhookAnswer = z.object({ webhook: webhookSchema });
const secretAnswer = z.object({
  webhook: webhookSchema,
  secret: z.string().meta({ description: 'whsec_…, shown here and never again' }),
});

const listWebhooks = route({
  method: 'get',
  path: '/webhooks',
  name: 'listWebhooks',
  summary: 'List webhooks, the newest first',
  description: `There are ${MAX_ENDPOINTS} at most.`,
  tag,
  role: 'read',
  query: z.strictObject({ limit: pageLimit, cursor: webhookCursor.schema.optional() }),
  answers: { 200: { description: 'A page of webhooks', schema: pageOf(webhookSchema) } },
  async handle({ query: { limit, cursor } }, { webhooks }) {
    const all = await webhooks.endpoints.list(limit + 1, cursor);
    const { page, nextCursor } = paged(all, limit, webhookCursor, (endpoint) => endpoint);
    return reply(200, { data: page.map(webhookJson), next_cursor: nextCursor });
  },
});

const createWebhook = route({
  method: 'post',
  path: '/webhooks',
  name: 'createWebhook',
  summary: 'Add a webhook; its secret is shown once',
  tag,
  role: 'admin',
  body: z.strictObject({
    url,
    events: events.default([ALL_EVENTS]),
    description: description.default(''),
    enabled: z.boolean().default(true),
  }),
  answers: { 201: { description: 'The webhook and its secret', schema: secretAnswer } },
  errors: ['webhook_limit_reached', 'master_key_not_configured'],
  async handle({ body, by }, { webhooks }) {
    const { endpoint, secret } = await refusing(webhooks.endpoints.create(body, by));
    return reply(201, { webhook: webhookJson(endpoint), secret });
  },
});

const getWebhook = route({
  method: 'get',
  path: '/webhooks/:id',
  name: 'getWebhook',
  summary: 'Show a webhook',
  tag,
  role: 'read',
  params: webhookId,
  answers: { 200: { description: 'The webhook', schema: webhookAnswer } },
  errors: ['not_found'],
  async handle({ params: { id } }, { webhooks }) {
    return reply(200, { webhook: webhookJson(required(await webhooks.endpoints.find(id), id)) });
  },
});

const updateWebhook = route({
  method: 'patch',
  path: '/webhooks/:id',
  name: 'updateWebhook',
  summary: 'Change a webhook',
  description: 'What waits for a webhook that is disabled is delivered when it is enabled again.',
  tag,
  role: 'admin',
  params: webhookId,
  body: z
    .strictObject({ url, events, description, enabled: z.boolean() })
    .partial()
    .refine((change) => Object.keys(change).length > 0, 'The body names nothing to change')
    .meta({ minProperties: 1 }),
  answers: { 200: { description: 'The webhook', schema: webhookAnswer } },
  errors: ['not_found'],
  async handle({ params: { id }, body, by }, { webhooks }) {
    const endpoint = await refusing(webhooks.endpoints.update(id, body, by));
    return reply(200, { webhook: webhookJson(required(endpoint, id)) });
  },
});

const deleteWebhook = route({
  method: 'delete',
  path: '/webhooks/:id',
  name: 'deleteWebhook',
  summary: 'Remove a webhook, and what was to be delivered to it',
  tag,
  role: 'admin',
  params: webhookId,
  answers: { 204: { description: 'It is removed' } },
  errors: ['not_found'],
  async handle({ params: { id }, by }, { webhooks }) {
    if (!(await webhooks.endpoints.remove(id, by))) required(undefined, id);
    return reply(204);
  },
});

const rotateSecret = route({
  method: 'post',
  path: '/webhooks/:id/rotate-secret',
  name: 'rotateWebhookSecret',
  summary: 'Make a new secret; the one before signs too for 24 hours',
  tag,
  role: 'admin',
  params: webhookId,
  answers: { 200: { description: 'The webhook and its new secret', schema: secretAnswer } },
  errors: ['not_found', 'master_key_not_configured'],
  async handle({ params: { id }, by }, { webhooks }) {
    const { endpoint, secret } = required(await refusing(webhooks.endpoints.rotateSecret(id, by)), id);
    return reply(200, { webhook: webhookJson(endpoint), secret });
  },
});

const testWebhook = route({
  method: 'post',
  path: '/webhooks/:id/test',
  name: 'testWebhook',
  summary: 'Send a test event, webhook.test, to this webhook alone',
  tag,
  role: 'support',
  params: webhookId,
  answers: {
    202: { description: 'It is on its way', schema: z.object({ delivery: deliverySchema }) },
  },
  errors: ['not_found', 'webhook_disabled'],
  async handle({ params: { id } }, { webhooks }) {
    const endpoint = required(await webhooks.endpoints.find(id), id);
    if (!endpoint.enabled) throw new RefusalError('webhook_disabled');
    const delivery = await webhooks.sendTest(id);
    return reply(202, { delivery: deliveryJson(delivery) });
  },
});

function webhookJson(endpoint: Endpoint): z.input<typeof webhookSchema> {
  return {
    id: endpoint.id,
    url: endpoint.url,
    description: endpoint.description,
    events: [...endpoint.events],
    enabled: endpoint.enabled,
    disabled_reason: endpoint.disabledReason ?? null,
    previous_secret_until: endpoint.previousSecretUntil?.toISOString() ?? null,
    created_at: endpoint.createdAt.toISOString(),
    updated_at: endpoint.updatedAt.toISOString(),
  };
}

function required<Thing>(thing: Thing | undefined, id: string): Thing {
  if (thing === undefined) throw new RefusalError('not_found', { what: `Webhook ${id.slice(0, 100)}` });
  return thing;
}

/** Says what cannot be done, in the API's words. */
async function refusing<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ForbiddenTarget)
      throw new RefusalError('invalid_request', { problem: `url: ${error.message}` });
    if (error instanceof NoMasterKey) throw new RefusalError('master_key_not_configured');
    if (error instanceof TooManyEndpoints)
      throw new RefusalError('webhook_limit_reached', { max: MAX_ENDPOINTS });
    throw error;
  }
}

/** Webhooks themselves. */
export const webhookRoutes: AdminRoute[] = [
  listWebhooks,
  createWebhook,
  getWebhook,
  updateWebhook,
  deleteWebhook,
  rotateSecret,
  testWebhook,
];
