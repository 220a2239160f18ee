import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Router } from 'express';
import { adminApi } from '../../src/http/admin/index.ts';
import type { AdminParts } from '../../src/http/admin/parts.ts';
import { adminDocument } from '../support/openapi.ts';

/** The routes and the routers of a router, as Express keeps them. */
function partsOf(router: Router): { routes: string[]; routers: Router[] } {
  const routes = router.stack.flatMap(({ route }) => {
    if (route === undefined) return [];
    const methods = new Set(route.stack.map((layer) => layer.method as string | undefined));
    // Without a method it is for all: what answers 405.
    return [...methods].flatMap((method) => (method === undefined ? [] : [`${method} ${route.path}`]));
  });
  const isRouter = (handle: unknown): handle is Router => typeof handle === 'function' && 'stack' in handle;
  return { routes, routers: router.stack.map(({ handle }) => handle as unknown).filter(isRouter) };
}

it('every route that is mounted is in the document, and every one in the document is mounted', () => {
  // No handler is called, so that it has to work with nothing.
  const outer = partsOf(adminApi({} as AdminParts, 'a token'));
  assert.deepEqual(outer.routes, ['get /openapi.json']);
  assert.equal(outer.routers.length, 1, 'what is mounted beside the declared routes nobody describes');
  const mounted = outer.routers.flatMap((router) => partsOf(router).routes);
  const described = Object.entries(adminDocument.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map(
      (method) => `${method} ${path.replace('/admin/v1', '').replaceAll(/\{(\w+)\}/g, ':$1')}`,
    ),
  );
  assert.ok(mounted.length > 8);
  assert.deepEqual(mounted.sort(), described.sort());
});
