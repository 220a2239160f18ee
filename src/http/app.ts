import cors from 'cors';
import express, { type Express } from 'express';
import { isUnavailable } from '../stores/database.ts';
import { adminApi } from './admin/index.ts';
import type { AdminParts } from './admin/parts.ts';
import { errorHandler, notFound } from './json-endpoint.ts';
import { licenseEndpoints, type LicenseParts } from './licenses.ts';
import { proxy, type ProxyParts } from './proxy.ts';
import { publicEndpoints } from './public.ts';
import { observeRequests, type RequestObserver } from './request-log.ts';

export interface AppParts {
  trustProxy: number;
  corsOrigins: readonly string[];
  adminToken: string | undefined;
  observer: RequestObserver;
  /** Undefined in direct mode, where nothing is proxied. */
  proxy: ProxyParts | undefined;
  licenses: LicenseParts;
  admin: AdminParts;
}

/**
 * The public application. The order of everything:
 *
 *  1. the request's id and, when it ends, its log line and metrics
 *  2. CORS, where origins are configured
 *  3. /proxy: nothing has touched the body before it (a body parser in front of a proxy hangs it)
 *  4. the license endpoints
 *  5. the admin API
 *  6. /tiers, /health, /version
 *  7. what is left: 404, and errors
 */
export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.set('trust proxy', parts.trustProxy);
  app.set('query parser', 'simple');

  app.use(observeRequests(parts.observer));
  if (parts.corsOrigins.length > 0) app.use(crossOrigin(parts.corsOrigins));
  if (parts.proxy !== undefined) app.use('/proxy', proxy(parts.proxy));
  app.use(licenseEndpoints(parts.licenses));
  app.use('/admin', adminApi(parts.admin, parts.adminToken));
  app.use(publicEndpoints(parts.licenses.tiers));
  app.use(notFound);
  app.use(errorHandler(isUnavailable));
  return app;
}

const exposed = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Retry-After',
  'X-Licensify-Request-Id',
];

function crossOrigin(origins: readonly string[]): ReturnType<typeof cors> {
  return cors({ origin: [...origins], exposedHeaders: exposed, maxAge: 600 });
}
