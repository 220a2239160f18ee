import { Router, type RequestHandler } from 'express';
import { RefusalError } from '../errors.ts';
import { notFound, onlyMethod } from '../json-endpoint.ts';
import { authenticate } from './authenticate.ts';
import { mountRoutes } from './mount.ts';
import { describeRoutes } from './openapi.ts';
import type { AdminParts } from './parts.ts';
import { adminRoutes } from './routes.ts';

/** The admin API, `/admin/v1/…` (contract §9), and its description, which takes no token: it is no secret. */
export function adminApi(parts: AdminParts, bootstrapToken: string | undefined): Router {
  const router = Router({ caseSensitive: true });
  router.route('/openapi.json').get(describe()).all(onlyMethod('GET'));
  router.use(authenticate(parts.adminTokens, bootstrapToken), storable);
  router.use('/v1', mountRoutes(adminRoutes, parts));
  router.use(notFound);
  return router;
}

/** Made when it is first asked for: a gateway that starts has better to do. */
function describe(): RequestHandler {
  let document: object | undefined;
  return (_req, res) => void res.json((document ??= describeRoutes(adminRoutes)));
}

/** PostgreSQL's text cannot hold NUL, not even to find nothing. */
const storable: RequestHandler = (req, _res, next) => {
  if (!req.url.includes('%00')) next();
  else next(new RefusalError('invalid_request', { problem: 'The URL holds a NUL character' }));
};
