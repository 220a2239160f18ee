import express, { type Express } from 'express';
import { isUnavailable } from '../stores/database.ts';
import { adminApi } from './admin/index.ts';
import type { AdminParts } from './admin/parts.ts';
import type { Attempts } from './attempts.ts';
import { crossOrigin } from './cross-origin.ts';
import { errorHandler, notFound } from './json-endpoint.ts';
import { licenseEndpoints, type LicenseParts } from './licenses.ts';
import { proxy, type ProxyParts } from './proxy.ts';
import { publicEndpoints } from './public.ts';
import { signUpEndpoints, type SignUpParts } from './sign-up.ts';
import { usageEndpoint, type UsageParts } from './usage-report.ts';
import { observeRequests, type RequestObserver } from './request-log.ts';

export interface AppParts {
  trustProxy: number;
  corsOrigins: readonly string[];
  maxBodyBytes: number;
  adminToken: string | undefined;
  /** Direct mode's key; undefined in proxy mode. */
  directKey: string | undefined;
  attempts: Attempts;
  mailLimit: SignUpParts['mailLimit'];
  signUp: Pick<SignUpParts, 'signUp' | 'mailer'>;
  observer: RequestObserver;
  decided: ProxyParts['decided'];
  counted: UsageParts['counted'];
  /** What the endpoints share. */
  common: AdminParts &
    Pick<LicenseParts, 'activation'> &
    Pick<ProxyParts, 'sessions' | 'streams' | 'replays' | 'requireSignature'>;
  /** Undefined in direct mode, where nothing is proxied. */
  upstream: Pick<ProxyParts, 'relay' | 'keys' | 'baseUrls'> | undefined;
}

/**
 * The public application. The order of everything:
 *
 *  1. the request's id and, when it ends, its log line and metrics
 *  2. CORS, where origins are configured
 *  3. /proxy: nothing has touched the body before it (a body parser in front of a proxy hangs it)
 *  4. the license endpoints, and sign-up
 *  5. the admin API
 *  6. /tiers, /health, /version
 *  7. what is left: 404, and errors
 */
export function createApp(parts: AppParts): Express {
  const { common, upstream, decided, maxBodyBytes, attempts, directKey } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.set('trust proxy', parts.trustProxy);
  app.set('query parser', 'simple');

  app.use(observeRequests(parts.observer));
  if (parts.corsOrigins.length > 0) app.use(crossOrigin(parts.corsOrigins));
  if (upstream !== undefined) app.use('/proxy', proxy({ ...common, ...upstream, maxBodyBytes, decided }));
  app.use(licenseEndpoints({ ...common, attempts, directKey }));
  if (directKey !== undefined)
    app.use(usageEndpoint({ ...common, attempts, directKey, counted: parts.counted }));
  app.use(signUpEndpoints({ ...parts.signUp, attempts, mailLimit: parts.mailLimit, tiers: common.tiers }));
  app.use('/admin', adminApi(common, parts.adminToken));
  app.use(publicEndpoints(common.tiers));
  app.use(notFound);
  app.use(errorHandler(isUnavailable));
  return app;
}
