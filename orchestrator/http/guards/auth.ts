import type { Context, Middleware } from 'koa';
import { GantryError } from '../../kernel/index.ts';
import type { Auth, Caller } from '../control.ts';
import { stateOf } from '../request-state.ts';

/** What a route asks of its caller. `none` is for the health checks, which must work without any secret. */
export type RouteScope = 'none' | 'call' | 'admin';

const ANONYMOUS: Caller = { principal: 'anonymous', scopes: ['call'] };
const NOBODY: Caller = { principal: 'anonymous', scopes: [] };

/**
 * Finds out who calls, from `Authorization: Bearer` alone: a token in an address ends up in logs. A token that
 * is wrong is refused even where none is needed, so that a stale one is noticed.
 * What the caller may do is asked by `authorize`, per route.
 */
export function identify(auth: Auth, publicPaths: ReadonlySet<string>): Middleware {
  return async (ctx, next) => {
    stateOf(ctx).caller = publicPaths.has(ctx.path) ? NOBODY : callerOf(ctx, auth);
    await next();
  };
}

/** @throws GantryError unauthorized for a caller without a token, scope_missing for one whose token is too weak */
export function authorize(ctx: Context, scope: RouteScope): void {
  if (scope === 'none') return;
  const caller = stateOf(ctx).caller ?? NOBODY;
  if (caller.scopes.includes('admin') || caller.scopes.includes(scope)) return;
  if (ctx.req.headers.authorization === undefined) {
    throw new GantryError(
      'unauthorized',
      'This request needs the admin token: Authorization: Bearer <token>.',
    );
  }
  throw new GantryError('scope_missing', `This token lacks the scope "${scope}".`, { detail: { scope } });
}

function callerOf(ctx: Context, auth: Auth): Caller {
  const header = ctx.req.headers.authorization;
  if (header === undefined) {
    if (auth.required)
      throw new GantryError('unauthorized', 'A token is needed: Authorization: Bearer <token>.');
    return ANONYMOUS;
  }
  const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1];
  const caller = token === undefined ? null : auth.callerOf(token);
  if (caller === null) throw new GantryError('unauthorized', 'This token is not known here.');
  return caller;
}
