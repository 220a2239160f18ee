import { z } from 'zod';
import type { AdminToken } from '../../licensing/admin-tokens.ts';
import { roles } from '../../licensing/changes-recorder.ts';
import { RefusalError } from '../errors.ts';
import { paged, pageLimit, pageOf } from './cursor.ts';
import { reply, route, type AdminRoute } from './route.ts';
import { createdCursor, moment, printableName } from './schemas.ts';

const tag = 'tokens';
const tokenCursor = createdCursor('token');

const tokenSchema = z
  .object({
    id: z.string().meta({ example: 'tok_0123456789abcdef01234567' }),
    token_prefix: z.string(),
    name: z.string(),
    role: z.enum(roles),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    revoked_at: z.iso.datetime().nullable(),
    last_used_at: z.iso.datetime().nullable().meta({ description: 'To the minute' }),
  })
  .meta({ id: 'Token' });

const createToken = route({
  method: 'post',
  path: '/tokens',
  name: 'createToken',
  summary: 'Make an admin token; it is shown once',
  description:
    '`read` may look at everything; `support` may change licenses and devices, but neither revoke nor touch keys; `admin` may everything.',
  tag,
  role: 'admin',
  body: z.strictObject({
    name: printableName.meta({ description: 'Whose it is, or what for: the audit names it' }),
    role: z.enum(roles),
    expires_at: moment.nullish(),
  }),
  answers: {
    201: {
      description: 'The token, and what it is kept of',
      schema: z.object({ token: tokenSchema, admin_token: z.string() }),
    },
  },
  async handle({ body: { name, role, expires_at: expiresAt }, by }, { adminTokens, clock }) {
    if (expiresAt != null && expiresAt.getTime() <= clock.now()) {
      throw new RefusalError('invalid_request', { problem: 'expires_at: must lie in the future' });
    }
    const { token, secret } = await adminTokens.create({ name, role, expiresAt: expiresAt ?? undefined }, by);
    return reply(201, { token: tokenJson(token), admin_token: secret });
  },
});

const listTokens = route({
  method: 'get',
  path: '/tokens',
  name: 'listTokens',
  summary: 'List admin tokens, the newest first; revoked ones too',
  tag,
  role: 'admin',
  query: z.strictObject({ limit: pageLimit, cursor: tokenCursor.schema.optional() }),
  answers: { 200: { description: 'A page of tokens', schema: pageOf(tokenSchema) } },
  async handle({ query: { limit, cursor } }, { adminTokens }) {
    const tokens = await adminTokens.list(limit + 1, cursor);
    const { page, nextCursor } = paged(tokens, limit, tokenCursor, (token) => token);
    return reply(200, { data: page.map(tokenJson), next_cursor: nextCursor });
  },
});

const revokeToken = route({
  method: 'post',
  path: '/tokens/:id/revoke',
  name: 'revokeToken',
  summary: 'End a token for good: it is refused at once, on every instance',
  tag,
  role: 'admin',
  params: z.object({ id: z.string() }),
  answers: { 200: { description: 'The token', schema: z.object({ token: tokenSchema }) } },
  errors: ['not_found'],
  async handle({ params: { id }, by }, { adminTokens }) {
    const token = await adminTokens.revoke(id, by);
    if (token === undefined) throw new RefusalError('not_found', { what: `Token ${id.slice(0, 100)}` });
    return reply(200, { token: tokenJson(token) });
  },
});

function tokenJson(token: AdminToken): z.input<typeof tokenSchema> {
  return {
    id: token.id,
    token_prefix: token.prefix,
    name: token.name,
    role: token.role,
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt?.toISOString() ?? null,
    revoked_at: token.revokedAt?.toISOString() ?? null,
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
  };
}

/** Admin tokens. */
export const tokenRoutes: AdminRoute[] = [createToken, listTokens, revokeToken];
