import type { RequestListener } from 'node:http';
import express, { type Express } from 'express';
import { isUnavailable } from '../stores/database.ts';
import { adminApi } from './admin/index.ts';
import type { AdminParts } from './admin/parts.ts';
import type { Attempts } from './attempts.ts';
import { crossOrigin } from './cross-origin.ts';
import { answerError, errorHandler, notFound } from './json-endpoint.ts';
import { licenseEndpoints, type LicenseParts } from './licenses.ts';
import { proxy, type ProxyParts } from './proxy.ts';
import { publicEndpoints } from './public.ts';
import { signUpEndpoints, type SignUpParts } from './sign-up.ts';
import { usageEndpoint, type UsageParts } from './usage-report.ts';
import { REQUEST_ID } from './request-state.ts';
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
 *  3. /proxy: nothing has touched the body before it (a body parser in front of a proxy hangs it). Not through Express,
 *     which gives every request and answer another prototype and walks its layers: docs/performance.md has its price
 *  4. everything else, which is Express
 */
export function createApp(parts: AppParts): RequestListener {
  const { upstream, common, maxBodyBytes, decided, corsOrigins } = parts;
  const observe = observeRequests(parts.observer);
  const allowOrigins = corsOrigins.length > 0 ? crossOrigin(corsOrigins) : undefined;
  const proxied = upstream && proxy({ ...common, ...upstream, maxBodyBytes, decided });
  const endpoints = createEndpoints(parts);
  return (req, res) => {
    const { id } = observe(req, res);
    const toProxy = isProxied(req.url) ? proxied : undefined;
    // The proxy says it with the rest of its head: node writes a head faster where no header was set before.
    if (toProxy === undefined || req.method === 'OPTIONS') res.setHeader(REQUEST_ID, id);
    const answer = (): void => {
      if (toProxy === undefined) endpoints(req, res);
      else toProxy(req, res).catch((error: unknown) => answerError(error, res, isUnavailable));
    };
    if (allowOrigins === undefined) answer();
    else allowOrigins(req, res, answer);
  };
}

/** `/proxy` and what is below it, not `/proxying`. */
function isProxied(target = ''): boolean {
  if (!target.startsWith('/proxy')) return false;
  const next = target['/proxy'.length];
  return next === '/' || next === '?' || next === undefined;
}

/**
 * The endpoints of our own, in their order:
 *
 *  1. the license endpoints, and sign-up
 *  2. the admin API
 *  3. /tiers, /health, /version
 *  4. what is left: 404, and errors
 */
function createEndpoints(parts: AppParts): Express {
  const { common, attempts, directKey } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.set('trust proxy', parts.trustProxy);
  app.set('query parser', 'simple');

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
