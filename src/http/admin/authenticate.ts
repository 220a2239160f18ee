import { timingSafeEqual } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { AdminTokens } from '../../licensing/admin-tokens.ts';
import { roles, type Actor, type Role } from '../../licensing/changes-recorder.ts';
import { hashKey } from '../../licensing/keys.ts';
import { refuse, RefusalError } from '../errors.ts';
import { answerRefusal } from '../json-endpoint.ts';
import { requestState } from '../request-state.ts';

const actors = new WeakMap<Response, Actor>();

/** Who makes the request, which `authenticate` has let in. */
export function actorOf(res: Response): Actor {
  const actor = actors.get(res);
  if (actor === undefined) throw new Error('the admin API was reached without authentication');
  return actor;
}

/**
 * Lets in who presents ADMIN_TOKEN or a stored token. Where there is neither the API is off.
 * @param bootstrap ADMIN_TOKEN, which may everything
 */
export function authenticate(tokens: AdminTokens, bootstrap: string | undefined): RequestHandler {
  const expected = bootstrap === undefined ? undefined : hashKey(bootstrap);
  return async (req, res, next) => {
    const presented = /^bearer +(.+)$/i.exec(req.headers.authorization ?? '')?.[1];
    const who = presented === undefined ? undefined : await identify(presented, tokens, expected);
    if (who !== undefined) {
      const state = requestState(res);
      actors.set(res, { type: 'token', ...who, address: req.ip, requestId: state.id });
      state.actor = who.id ?? who.name;
      next();
    } else if (expected === undefined && !(await tokens.hasAny())) {
      answerRefusal(res, refuse('admin_not_configured'));
    } else {
      res.setHeader('WWW-Authenticate', 'Bearer');
      answerRefusal(res, refuse('invalid_admin_token'));
    }
  };
}

type Identity = Pick<Actor, 'id' | 'name' | 'role'>;

/** Hashes are compared, in constant time and whatever the lengths are. */
async function identify(
  presented: string,
  tokens: AdminTokens,
  expected: Buffer | undefined,
): Promise<Identity | undefined> {
  if (expected !== undefined && timingSafeEqual(hashKey(presented), expected)) {
    return { name: 'ADMIN_TOKEN', role: 'admin' };
  }
  const token = await tokens.authenticate(presented);
  return token && { id: token.id, name: token.name, role: token.role };
}

/** Refuses whose role is less. */
export function requireRole(needed: Role): RequestHandler {
  return (_req, res, next) => {
    const { role = 'read', name } = actorOf(res);
    if (roles.indexOf(role) >= roles.indexOf(needed)) next();
    else next(new RefusalError('forbidden', { needed, name, role }));
  };
}
