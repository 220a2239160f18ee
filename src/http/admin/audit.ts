import { z } from 'zod';
import { readAudit, type AuditEntry } from '../../licensing/audit.ts';
import { roles } from '../../licensing/changes-recorder.ts';
import { cursorKind, paged, pageLimit, pageOf } from './cursor.ts';
import { reply, route, type AdminRoute } from './route.ts';
import { firstMoment, lastMoment } from './schemas.ts';

const auditCursor = cursorKind('audit', z.int().nonnegative());

const facts = z
  .record(z.string(), z.unknown())
  .nullable()
  .meta({ description: 'Of the fields that changed, their values; never a secret' });

const entrySchema = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    actor: z.object({
      type: z.string().meta({ description: 'token, customer or system' }),
      id: z.string().nullable().meta({ description: 'Of the token; null for ADMIN_TOKEN' }),
      name: z.string(),
      role: z.enum(roles).nullable(),
    }),
    address: z.string().nullable(),
    request_id: z.string().nullable(),
    action: z.string().meta({ example: 'license.updated' }),
    target: z.string(),
    license: z.string().nullable(),
    before: facts,
    after: facts,
  })
  .meta({ id: 'AuditEntry' });

const listAudit = route({
  method: 'get',
  path: '/audit',
  name: 'listAudit',
  summary: 'Who changed what, when and from where; the newest first',
  description: 'Append-only. What customers do with their own devices is not in it.',
  tag: 'audit',
  role: 'read',
  query: z.strictObject({
    license: z.string().max(200).optional(),
    actor: z.string().max(200).optional().meta({ description: "A token's id, or a name: ADMIN_TOKEN" }),
    action: z.string().max(100).optional(),
    from: firstMoment.optional(),
    to: lastMoment.optional(),
    limit: pageLimit,
    cursor: auditCursor.schema.optional(),
  }),
  answers: { 200: { description: 'A page of entries', schema: pageOf(entrySchema) } },
  async handle({ query: { limit, cursor, ...filter } }, { db }) {
    const entries = await readAudit(db, filter, limit + 1, cursor);
    const { page, nextCursor } = paged(entries, limit, auditCursor, ({ id }) => id);
    return reply(200, { data: page.map(entryJson), next_cursor: nextCursor });
  },
});

function entryJson(entry: AuditEntry): z.input<typeof entrySchema> {
  const { type, id, name, role } = entry.actor;
  return {
    id: entry.id,
    at: entry.at.toISOString(),
    actor: { type, id: id ?? null, name, role: role ?? null },
    address: entry.address ?? null,
    request_id: entry.requestId ?? null,
    action: entry.action,
    target: entry.target,
    license: entry.licenseId ?? null,
    before: entry.before ?? null,
    after: entry.after ?? null,
  };
}

export const auditRoutes: AdminRoute[] = [listAudit];
