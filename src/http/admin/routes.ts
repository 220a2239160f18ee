import { auditRoutes } from './audit.ts';
import { deviceRoutes } from './devices.ts';
import { keyRoutes } from './keys.ts';
import { licenseRoutes } from './licenses.ts';
import { providerRoutes } from './providers.ts';
import type { AdminRoute } from './route.ts';
import { tierRoutes } from './tiers.ts';
import { tokenRoutes } from './tokens.ts';
import { usageRoutes } from './usage.ts';

/** Every call of the admin API. The router and the OpenAPI document are made of this list. */
export const adminRoutes: readonly AdminRoute[] = [
  ...licenseRoutes,
  ...keyRoutes,
  ...deviceRoutes,
  ...usageRoutes,
  ...auditRoutes,
  ...tokenRoutes,
  ...providerRoutes,
  ...tierRoutes,
];
