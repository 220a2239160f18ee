import { Router } from 'express';
import type { Tiers } from '../licensing/tiers.ts';
import { version } from '../version.ts';
import { onlyMethod } from './json-endpoint.ts';

/** `GET /tiers`, `/health` and `/version`. */
export function publicEndpoints(tiers: () => Tiers): Router {
  const router = Router({ caseSensitive: true });
  router
    .route('/tiers')
    .get((_req, res) => {
      const shown = [...tiers().values()].filter((tier) => !tier.hidden && !tier.deprecated);
      res.json({
        tiers: shown.map((tier) => ({
          id: tier.id,
          name: tier.name,
          daily_limit: tier.dailyLimit,
          monthly_limit: tier.monthlyLimit,
          max_devices: tier.maxDevices,
          features: tier.features,
          description: tier.description,
          price_monthly: tier.priceMonthly ?? null,
          self_service: tier.selfService,
        })),
      });
    })
    .all(onlyMethod('GET'));
  router
    .route('/health')
    .get((_req, res) => void res.json({ status: 'ok' }))
    .all(onlyMethod('GET'));
  router
    .route('/version')
    .get((_req, res) => void res.json({ name: 'licensify', version }))
    .all(onlyMethod('GET'));
  return router;
}
