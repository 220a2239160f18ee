import { z } from 'zod';
import { apiKeyPattern } from '../../config-secrets.ts';
import { resealAll } from '../../stores/sealed-columns.ts';
import { SecretUnreadable } from '../../stores/secret-box.ts';
import type { ProviderState } from '../../upstream/key-ring.ts';
import { findProvider, type Provider } from '../../upstream/providers.ts';
import { RefusalError } from '../errors.ts';
import { cursorKind, paged, pageLimit, pageOf } from './cursor.ts';
import { reply, route, type AdminRoute } from './route.ts';

const tag = 'providers';
/** How many were listed. */
const providerCursor = cursorKind('provider', z.int().nonnegative());
const keySource = z.enum(['environment', 'file', 'admin']);
const fingerprint = z
  .string()
  .meta({ description: 'The first 8 hexadecimal digits of the SHA-256 of the key', example: '1a2b3c4d' });

const providerSchema = z
  .object({
    provider: z.enum(['openai', 'anthropic']),
    configured: z.boolean(),
    source: keySource
      .nullable()
      .meta({ description: 'Where the key comes from that is used; `admin`: this API' }),
    fingerprint: fingerprint.nullable(),
    since: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When it was set, read from its file, or the gateway started' }),
    last_refused_at: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When the provider last answered 401 to this key, to within seconds' }),
    replaces: z
      .object({ source: keySource, fingerprint })
      .nullable()
      .meta({ description: 'The key of the settings, while a stored one is used in its place' }),
  })
  .meta({ id: 'Provider' });

const named = z.object({
  provider: z.string().meta({ description: 'openai or anthropic', example: 'openai' }),
});
const state = { description: 'The provider, as it is now', schema: z.object({ provider: providerSchema }) };

const listProviders = route({
  method: 'get',
  path: '/providers',
  name: 'listProviders',
  summary: 'List the providers: which real key is used for each, never the key itself',
  tag,
  role: 'read',
  query: z.strictObject({ limit: pageLimit, cursor: providerCursor.schema.optional() }),
  answers: {
    200: {
      description: 'All of them',
      schema: pageOf(providerSchema),
    },
  },
  async handle({ query: { limit, cursor } }, { providerKeys }) {
    const states = (await providerKeys.states()).filter((_, at) => at >= (cursor ?? 0));
    const { page, nextCursor } = paged(
      states,
      limit,
      providerCursor,
      ({ provider }) => 1 + states.findIndex((state) => state.provider === provider),
    );
    return reply(200, { data: page.map(providerJson), next_cursor: nextCursor });
  },
});

const setProviderKey = route({
  method: 'put',
  path: '/providers/:provider/key',
  name: 'setProviderKey',
  summary: 'Store a real key: every instance uses it within a second, in place of the settings',
  description:
    'It is kept encrypted under MASTER_KEY. Requests under way end with the key that they began with, so keep that one valid for as long as they may take.',
  tag,
  role: 'admin',
  params: named,
  body: z.strictObject({
    key: z.string().min(8).max(1_000).regex(apiKeyPattern, 'must be a key, without spaces or lines'),
  }),
  answers: { 200: state },
  errors: ['unknown_provider', 'master_key_not_configured'],
  async handle({ params, body: { key }, by }, { providerKeys: keys, record, clock }) {
    const provider = required(params.provider);
    const { name } = provider;
    if (!keys.stored.canStore) throw new RefusalError('master_key_not_configured');
    await keys.stored.set(name, key, (trx, before, after) =>
      record(trx, {
        action: 'provider.key_set',
        target: name,
        ...(before !== undefined && { before: { fingerprint: before } }),
        after: { fingerprint: after },
        by,
        at: new Date(clock.now()),
      }),
    );
    return reply(200, { provider: providerJson(await keys.state(provider)) });
  },
});

const removeProviderKey = route({
  method: 'delete',
  path: '/providers/:provider/key',
  name: 'removeProviderKey',
  summary: 'Remove the stored key: the one of the settings is used again, if there is one',
  tag,
  role: 'admin',
  params: named,
  answers: { 200: state },
  errors: ['unknown_provider', 'not_found'],
  async handle({ params, by }, { providerKeys: keys, record, clock }) {
    const provider = required(params.provider);
    const { name } = provider;
    const removed = await keys.stored.remove(name, (trx, before) =>
      record(trx, {
        action: 'provider.key_removed',
        target: name,
        before: { fingerprint: before },
        by,
        at: new Date(clock.now()),
      }),
    );
    if (!removed) throw new RefusalError('not_found', { what: `A stored ${provider.label} key` });
    return reply(200, { provider: providerJson(await keys.state(provider)) });
  },
});

const rotateMasterKey = route({
  method: 'post',
  path: '/master-key/rotate',
  name: 'rotateMasterKey',
  summary: 'Encrypt every stored secret anew under the first key of MASTER_KEY',
  description: 'All of them or none. After it the other keys can be taken out of MASTER_KEY.',
  tag,
  role: 'admin',
  answers: {
    200: {
      description: 'What was done',
      schema: z.object({
        master_key: z.string().meta({ description: 'Its id: what tells master keys apart' }),
        secrets: z.int().meta({ description: 'How many secrets are stored' }),
        resealed: z.int().meta({ description: 'How many of them were encrypted under another master key' }),
      }),
    },
  },
  errors: ['master_key_not_configured', 'secret_unreadable'],
  async handle({ by }, { db, sealed: { box, columns }, record, clock }) {
    if (box === undefined) throw new RefusalError('master_key_not_configured');
    const target = box.currentKeyId;
    const at = new Date(clock.now());
    try {
      const done = await resealAll(db, box, columns, (trx, total) =>
        record(trx, { action: 'master_key.rotated', target, after: { ...total }, by, at }),
      );
      return reply(200, { master_key: target, ...done });
    } catch (error) {
      if (!(error instanceof SecretUnreadable)) throw error;
      throw new RefusalError('secret_unreadable', { problem: error.message });
    }
  },
});

function required(name: string): Provider {
  const provider = findProvider(name);
  if (provider === undefined) throw new RefusalError('unknown_provider');
  return provider;
}

function providerJson({ provider, key, replaced, refusedAt }: ProviderState): z.input<typeof providerSchema> {
  return {
    provider: provider.name,
    configured: key !== undefined,
    source: key?.source ?? null,
    fingerprint: key?.fingerprint ?? null,
    since: key === undefined ? null : new Date(key.since).toISOString(),
    last_refused_at: refusedAt?.toISOString() ?? null,
    replaces: replaced === undefined ? null : { source: replaced.source, fingerprint: replaced.fingerprint },
  };
}

/** The providers' real keys, and the master key that they are stored under. */
export const providerRoutes: AdminRoute[] = [
  listProviders,
  setProviderKey,
  removeProviderKey,
  rotateMasterKey,
];
