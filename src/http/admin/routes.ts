import { auditRoutes } from './audit.ts';
import { connectionRoutes } from './connection.ts';
import { deviceRoutes } from './devices.ts';
import { keyRoutes } from './keys.ts';
import { licenseRoutes } from './licenses.ts';
import { providerRoutes } from './providers.ts';
import type { AdminRoute } from './route.ts';
import { tierRoutes } from './tiers.ts';
import { tokenRoutes } from './tokens.ts';
import { usageRoutes } from './usage.ts';
import { deliveryRoutes } from './webhook-deliveries.ts';
import { webhookRoutes } from './webhooks.ts';

/** Every call of the admin API. The router and the OpenAPI document are made of this list. */
export const adminRoutes: readonly AdminRoute[] = [
  ...licenseRoutes,
  ...keyRoutes,
  ...deviceRoutes,
  ...usageRoutes,
  ...auditRoutes,
  ...tokenRoutes,
  // In front of the webhooks, of which none has the id "deliveries".
  ...deliveryRoutes,
  ...webhookRoutes,
  ...providerRoutes,
  ...tierRoutes,
  ...connectionRoutes,
];
