import { Router } from 'express';
import type { License, StoredStatus } from '../../licensing/license.ts';
import { RefusalError } from '../errors.ts';
import { jsonBody, onlyMethod, validated } from '../json-endpoint.ts';
import { deviceJson } from './devices.ts';
import { licenseJson, required, type AdminParts } from './parts.ts';
import { licenseChange, licenseQuery, newLicense } from './schemas.ts';

/** Making, finding and changing licenses. */
export function licenseRoutes(parts: AdminParts): Router {
  const router = Router({ caseSensitive: true });
  collection(router, parts);
  single(router, parts);
  statusChange(router, parts, 'suspend', 'suspended');
  statusChange(router, parts, 'reinstate', 'active');
  statusChange(router, parts, 'revoke', 'revoked');
  return router;
}

function collection(router: Router, parts: AdminParts): void {
  router
    .route('/')
    .post(jsonBody, async (req, res) => {
      const fields = validated(newLicense, req.body);
      requireTier(parts, fields.tier);
      const { license, licenseKey } = await parts.licenses.create({
        email: fields.email,
        name: fields.name,
        tier: fields.tier,
        expiresAt: fields.expires_at ?? undefined,
        dailyLimit: fields.daily_limit ?? undefined,
        monthlyLimit: fields.monthly_limit ?? undefined,
        maxActivations: fields.max_activations ?? undefined,
      });
      res.status(201).json({ license: licenseJson(license, parts), license_key: licenseKey });
    })
    .get(async (req, res) => {
      const { limit, cursor, ...filter } = validated(licenseQuery, req.query);
      const page = await parts.licenses.list(filter, limit, cursor);
      res.json({
        data: page.licenses.map((license) => licenseJson(license, parts)),
        next_cursor: page.nextCursor ?? null,
      });
    })
    .all(onlyMethod('GET', 'POST'));
}

function single(router: Router, parts: AdminParts): void {
  router
    .route('/:id')
    .get(async (req, res) => {
      const license = required(await parts.licenses.find(req.params.id), req.params.id);
      const [devices, used] = await Promise.all([
        parts.devices.list(license.id),
        parts.admission.used(license.id).catch(() => {
          throw new RefusalError('counters_unavailable');
        }),
      ]);
      const usage = { today: used.today, this_month: used.thisMonth };
      res.json({ license: { ...licenseJson(license, parts), devices: devices.map(deviceJson), usage } });
    })
    .patch(jsonBody, async (req, res) => {
      const change = validated(licenseChange, req.body);
      if (change.tier !== undefined) requireTier(parts, change.tier);
      const license = await parts.licenses.update(req.params.id, {
        email: change.email,
        name: change.name,
        tier: change.tier,
        expiresAt: change.expires_at,
        dailyLimit: change.daily_limit,
        monthlyLimit: change.monthly_limit,
        maxActivations: change.max_activations,
      });
      res.json({ license: licenseJson(required(license, req.params.id), parts) });
    })
    .all(onlyMethod('GET', 'PATCH'));
}

function statusChange(router: Router, parts: AdminParts, verb: string, status: StoredStatus): void {
  router
    .route(`/:id/${verb}`)
    .post(async (req, res) => {
      const license: License = required(await parts.licenses.setStatus(req.params.id, status), req.params.id);
      if (license.status !== status) throw new RefusalError('license_revoked');
      res.json({ license: licenseJson(license, parts) });
    })
    .all(onlyMethod('POST'));
}

function requireTier({ tiers }: AdminParts, tier: string): void {
  if (tiers().has(tier)) return;
  const problem = `tier: there is no tier "${tier}"; there are ${[...tiers().keys()].join(', ')}`;
  throw new RefusalError('invalid_request', { problem });
}
