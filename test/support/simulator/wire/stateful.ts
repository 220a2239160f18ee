import { json } from '../reply.ts';
import type { Call, Endpoint } from '../reply.ts';

/** In every answer that a proxy key must never get: what another customer stored with the provider. */
export const FORBIDDEN_MARKER = 'data-of-another-customer';

const STORES =
  /^\/v1\/(files|batches|fine_tuning|organizations?|assistants|threads|vector_stores|uploads|conversations|containers|evals|projects|skills|messages\/batches|responses\/|chat\/completions(\/|$)|models\/)/;

/**
 * Paths that reach what an account stores or who runs it: files, batches, stored completions, organization.
 * They answer 200 to any method, so that a test can see when a gateway let one through.
 */
export function isStateful({ method, path }: Call): boolean {
  if (method === 'POST' && path === '/v1/chat/completions') return false;
  return STORES.test(path);
}

/** The list that a stateful path answers. */
export const statefulAnswer: Endpoint = (call) =>
  json({
    object: 'list',
    data: [{ id: FORBIDDEN_MARKER, object: 'stored', path: call.path, method: call.method }],
    has_more: false,
  });
