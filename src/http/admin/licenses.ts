import { z } from 'zod';
import type { StoredStatus } from '../../licensing/license.ts';
import { RefusalError } from '../errors.ts';
import { requestState } from '../request-state.ts';
import { pageOf } from './cursor.ts';
import {
  changed,
  deviceJson,
  deviceSchema,
  etagOf,
  licenseJson,
  licenseSchema,
  required,
  versionsFrom,
} from './license-json.ts';
import type { AdminParts } from './parts.ts';
import { reply, route, type AdminRoute } from './route.ts';
import { licenseChange, licenseCursor, licenseId, licenseQuery, newLicense } from './schemas.ts';

const tag = 'licenses';
const oneLicense = z.object({ license: licenseSchema });
/** More devices than this are listed by a call of their own. */
const DEVICES_SHOWN = 200;

const createLicense = route({
  method: 'post',
  path: '/licenses',
  name: 'createLicense',
  summary: 'Make a license; its key is shown once',
  tag,
  role: 'support',
  body: newLicense,
  answers: {
    201: {
      description: 'The license, and its key',
      schema: z.object({ license: licenseSchema, license_key: z.string() }),
      etag: true,
    },
  },
  async handle({ body, by }, parts) {
    requireTier(parts, body.tier);
    const fields = {
      email: body.email,
      name: body.name,
      tier: body.tier,
      expiresAt: body.expires_at ?? undefined,
      dailyLimit: body.daily_limit ?? undefined,
      monthlyLimit: body.monthly_limit ?? undefined,
      maxActivations: body.max_activations ?? undefined,
    };
    const { license, licenseKey } = await parts.licenses.create(fields, by);
    const made = { license: licenseJson(license, parts), license_key: licenseKey };
    return reply(201, made, etagOf(license));
  },
});

const listLicenses = route({
  method: 'get',
  path: '/licenses',
  name: 'listLicenses',
  summary: 'List licenses, the newest first',
  tag,
  role: 'read',
  query: licenseQuery,
  answers: { 200: { description: 'A page of licenses', schema: pageOf(licenseSchema) } },
  async handle({ query }, parts) {
    const { limit, cursor, expires_before: expiresBefore, ...filter } = query;
    const { licenses, next } = await parts.licenses.list({ ...filter, expiresBefore }, limit, cursor);
    return reply(200, {
      data: licenses.map((license) => licenseJson(license, parts)),
      next_cursor: next === undefined ? null : licenseCursor.write(next),
    });
  },
});

const showLicense = route({
  method: 'get',
  path: '/licenses/:id',
  name: 'showLicense',
  summary: 'A license with its devices and what it used',
  description: 'Its ETag is the version of the license itself: devices and usage have no part in it.',
  tag,
  role: 'read',
  params: licenseId,
  answers: {
    200: {
      description: `The license; of its devices, the first ${DEVICES_SHOWN}`,
      schema: z.object({
        license: licenseSchema.extend({
          devices: z.array(deviceSchema),
          device_count: z.int(),
          usage: z.object({ today: z.int(), this_month: z.int() }),
        }),
      }),
      etag: true,
    },
  },
  errors: ['not_found', 'counters_unavailable'],
  async handle({ params, res }, parts) {
    const license = required(await parts.licenses.find(params.id), params.id);
    const [devices, deviceCount, used] = await Promise.all([
      parts.devices.list(license.id, DEVICES_SHOWN),
      parts.devices.count(license.id),
      parts.admission.used(license.id).catch((cause: unknown) => {
        requestState(res).error = cause;
        throw new RefusalError('counters_unavailable');
      }),
    ]);
    const details = {
      devices: devices.map(deviceJson),
      device_count: deviceCount,
      usage: { today: used.today, this_month: used.thisMonth },
    };
    return reply(200, { license: { ...licenseJson(license, parts), ...details } }, etagOf(license));
  },
});

const updateLicense = route({
  method: 'patch',
  path: '/licenses/:id',
  name: 'updateLicense',
  summary: 'Change what is named; null takes an override, or the expiry, away',
  tag,
  role: 'support',
  params: licenseId,
  body: licenseChange,
  ifMatch: true,
  answers: { 200: { description: 'The license as it is now', schema: oneLicense, etag: true } },
  errors: ['not_found'],
  async handle({ params, body, by, ifMatch }, parts) {
    if (body.tier !== undefined) requireTier(parts, body.tier);
    const change = {
      email: body.email,
      name: body.name,
      tier: body.tier,
      expiresAt: body.expires_at,
      dailyLimit: body.daily_limit,
      monthlyLimit: body.monthly_limit,
      maxActivations: body.max_activations,
    };
    const terms = { by, ifVersion: versionsFrom(ifMatch) };
    const license = changed(await parts.licenses.update(params.id, change, terms), params.id);
    return reply(200, { license: licenseJson(license, parts) }, etagOf(license));
  },
});

function statusChange(
  verb: 'suspend' | 'reinstate' | 'revoke',
  status: StoredStatus,
  summary: string,
): AdminRoute {
  return route({
    method: 'post',
    path: `/licenses/:id/${verb}`,
    name: `${verb}License`,
    summary,
    tag,
    role: verb === 'revoke' ? 'admin' : 'support',
    params: licenseId,
    ifMatch: true,
    answers: { 200: { description: 'The license as it is now', schema: oneLicense, etag: true } },
    errors: ['not_found', 'license_revoked'],
    async handle({ params, by, ifMatch }, parts) {
      const terms = { by, ifVersion: versionsFrom(ifMatch) };
      const license = changed(await parts.licenses.setStatus(params.id, status, terms), params.id);
      return reply(200, { license: licenseJson(license, parts) }, etagOf(license));
    },
  });
}

/** Making, finding and changing licenses. */
export const licenseRoutes: AdminRoute[] = [
  createLicense,
  listLicenses,
  showLicense,
  updateLicense,
  statusChange('suspend', 'suspended', 'Stop a license until it is reinstated; open streams are cut'),
  statusChange('reinstate', 'active', 'Let a suspended license work again'),
  statusChange('revoke', 'revoked', 'End a license for good; open streams are cut'),
];

/** @throws RefusalError that names the tiers there are */
export function requireTier({ tiers }: AdminParts, tier: string): void {
  if (tiers().has(tier)) return;
  const problem = `tier: there is no tier "${tier}"; there are ${[...tiers().keys()].join(', ')}`;
  throw new RefusalError('invalid_request', { problem });
}
