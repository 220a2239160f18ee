import { z } from 'zod';
import { changed, etagOf, licenseJson, licenseSchema, required, versionsFrom } from './license-json.ts';
import { reply, route, type AdminRoute } from './route.ts';
import { licenseId } from './schemas.ts';

const tag = 'keys';
const MAX_GRACE_SECONDS = 31_536_000;

const reissueLicense = route({
  method: 'post',
  path: '/licenses/:id/reissue',
  name: 'reissueLicense',
  summary: 'Make a new license key, shown once; the old one dies at once',
  description: 'Devices stay activated, and their proxy keys go on working.',
  tag,
  role: 'admin',
  params: licenseId,
  ifMatch: true,
  answers: {
    200: {
      description: 'The license, and its new key',
      schema: z.object({ license: licenseSchema, license_key: z.string() }),
      etag: true,
    },
  },
  errors: ['not_found', 'license_revoked'],
  async handle({ params: { id }, by, ifMatch }, parts) {
    const { outcome, licenseKey } = await parts.licenses.reissue(id, {
      by,
      ifVersion: versionsFrom(ifMatch),
    });
    const license = changed(outcome, id);
    return reply(200, { license: licenseJson(license, parts), license_key: licenseKey }, etagOf(license));
  },
});

const revokeKeys = route({
  method: 'post',
  path: '/licenses/:id/keys/revoke',
  name: 'revokeKeys',
  summary: 'End the proxy keys of all devices of a license, at once or after a time of grace',
  description:
    'Devices stay activated: each gets a new key when it activates again, as it does after a 401. Without grace open streams are cut.',
  tag,
  role: 'admin',
  params: licenseId,
  body: z.strictObject({
    grace_seconds: z
      .int()
      .min(0)
      .max(MAX_GRACE_SECONDS)
      .default(0)
      .meta({ description: 'How long the keys of now still work' }),
  }),
  answers: {
    200: {
      description: 'How many keys it were',
      schema: z.object({
        revoked: z.int(),
        work_until: z.iso.datetime().meta({ description: 'The end of the last of them' }),
      }),
    },
  },
  errors: ['not_found'],
  async handle({ params: { id }, body, by }, parts) {
    const license = required(await parts.licenses.find(id), id);
    const ended = await parts.devices.revokeKeys(license.id, body.grace_seconds * 1_000, by);
    return reply(200, { revoked: ended.count, work_until: ended.workUntil.toISOString() });
  },
});

/** What makes keys worthless. */
export const keyRoutes: AdminRoute[] = [reissueLicense, revokeKeys];
