import { timingSafeEqual } from 'node:crypto';
import { Router, type RequestHandler } from 'express';
import { hashKey } from '../../licensing/keys.ts';
import { refuse, RefusalError } from '../errors.ts';
import { answerRefusal, notFound } from '../json-endpoint.ts';
import { deviceRoutes } from './devices.ts';
import { licenseRoutes } from './licenses.ts';
import type { AdminParts } from './parts.ts';

/** The admin API, `/admin/v1/…` (contract §9). Without a token it is off. */
export function adminApi(parts: AdminParts, token: string | undefined): Router {
  const router = Router({ caseSensitive: true });
  router.use(bearer(token), storable);
  router.use('/v1/licenses', licenseRoutes(parts), deviceRoutes(parts));
  router.use(notFound);
  return router;
}

/** PostgreSQL's text cannot hold NUL, not even to find nothing. */
const storable: RequestHandler = (req, _res, next) => {
  if (!req.url.includes('%00')) next();
  else next(new RefusalError('invalid_request', { problem: 'The URL holds a NUL character' }));
};

/** Compares hashes, in constant time and whatever the lengths are. */
function bearer(token: string | undefined): RequestHandler {
  const expected = token === undefined ? undefined : hashKey(token);
  return (req, res, next) => {
    if (expected === undefined) {
      answerRefusal(res, refuse('admin_not_configured'));
      return;
    }
    const presented = /^bearer +(.+)$/i.exec(req.headers.authorization ?? '')?.[1];
    if (presented !== undefined && timingSafeEqual(hashKey(presented), expected)) {
      next();
      return;
    }
    res.setHeader('WWW-Authenticate', 'Bearer');
    answerRefusal(res, refuse('invalid_admin_token'));
  };
}
