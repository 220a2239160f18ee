import { Router, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { RefusalError } from '../errors.ts';
import { jsonBody, onlyMethod, validated } from '../json-endpoint.ts';
import { requestState } from '../request-state.ts';
import { actorOf, requireRole } from './authenticate.ts';
import type { AdminParts } from './parts.ts';
import type { AdminRoute, Method } from './route.ts';

/** The order in which `Allow` names them. */
const methods: readonly Method[] = ['get', 'post', 'put', 'patch', 'delete'];

/** A query is checked for unknown names even where there is nothing to ask. */
const nothing = z.strictObject({});

/** The router of declared routes; a path that is known answers other methods with 405. */
export function mountRoutes(routes: readonly AdminRoute[], parts: AdminParts): Router {
  const router = Router({ caseSensitive: true });
  for (const path of new Set(routes.map((route) => route.path))) {
    const here = routes.filter((route) => route.path === path);
    const at = router.route(path);
    for (const route of here) {
      at[route.method](
        logAs(route),
        requireRole(route.role),
        ...(route.body === undefined ? [] : [bodyOf(route.body)]),
        answer(route, parts),
      );
    }
    const allowed = methods.filter((method) => here.some((route) => route.method === method));
    at.all(onlyMethod(...allowed.map((method) => method.toUpperCase())));
  }
  return router;
}

/** Clients say `Content-Length: 0` for a POST without a body, which is one where nothing has to be said. */
function bodyOf(schema: z.ZodType): RequestHandler {
  if (!schema.safeParse({}).success) return jsonBody;
  return (req, res, next) => {
    if (req.headers['content-length'] === '0') next();
    else void jsonBody(req, res, next);
  };
}

const LICENSE_ID = /^lic_[0-9a-z]{1,60}$/;

/** The log names the route and the license, not the path as it came: it may hold anything. */
function logAs({ path }: AdminRoute): RequestHandler<Record<string, string>> {
  return (req, res, next) => {
    const state = requestState(res);
    state.path = `/admin/v1${path}`;
    // What is no id may be a license key, pasted in its place.
    const { id = '' } = req.params;
    if (path.startsWith('/licenses/:id') && LICENSE_ID.test(id)) state.license = id;
    next();
  };
}

function answer(route: AdminRoute, parts: AdminParts): RequestHandler {
  return async (req, res) => {
    const reply = await route.handle(
      {
        params: validated(route.params ?? nothing, req.params),
        query: validated(route.query ?? nothing, req.query),
        body: route.body && validated(route.body, req.body),
        by: actorOf(res),
        ifMatch: route.ifMatch && versionsOf(req.headers['if-match']),
        res,
      },
      parts,
    );
    send(res, reply);
  };
}

function send(res: Response, { status, etag, body }: Awaited<ReturnType<AdminRoute['handle']>>): void {
  if (etag !== undefined) res.setHeader('ETag', quoted(etag));
  res.status(status);
  if (body === undefined) res.end();
  else res.json(body);
}

/** As an ETag stands in a header. */
export function quoted(etag: string): string {
  return `"${etag}"`;
}

/**
 * The entity tags of an If-Match; undefined where any will do. A weak one matches nothing (RFC 9110 §13.1.1).
 * @throws RefusalError where it is none
 */
function versionsOf(header: string | undefined): string[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  if (!/^\s*(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*\s*$/.test(header)) {
    throw new RefusalError('invalid_request', {
      problem: 'If-Match: must be an ETag as an answer had it, in its quotes, or *',
    });
  }
  return [...header.matchAll(/(W\/)?"([^"]*)"/g)].flatMap(([, weak, tag = '']) => (weak ? [] : [tag]));
}
