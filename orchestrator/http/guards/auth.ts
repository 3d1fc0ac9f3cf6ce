import type { IncomingMessage } from 'node:http';
import { ANONYMOUS, GantryError } from '../../kernel/index.ts';
import type { Auth, Caller } from '../control.ts';

/** What a route asks of its caller. `none` is for the health checks, which must work without any secret. */
export type RouteScope = 'none' | 'call' | 'admin';

const ANYBODY: Caller = { principal: ANONYMOUS, scopes: ['call'] };
/** Who asks where nobody is asked who he is. */
export const NOBODY: Caller = { principal: ANONYMOUS, scopes: [] };

/**
 * Who calls, from `Authorization: Bearer` alone: a token in an address ends up in logs. A token that is wrong is
 * refused even where none is needed, so that a stale one is noticed. What the caller may do is asked by `authorize`,
 * per route.
 * @throws GantryError unauthorized
 */
export function callerOf(authorization: string | undefined, auth: Auth): Caller {
  if (authorization === undefined) {
    if (auth.required)
      throw new GantryError('unauthorized', 'A token is needed: Authorization: Bearer <token>.');
    return ANYBODY;
  }
  const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
  const caller = token === undefined ? null : auth.callerOf(token);
  if (caller === null) throw new GantryError('unauthorized', 'This token is not known here.');
  return caller;
}

/** @throws GantryError unauthorized for a caller without a token, scope_missing for one whose token is too weak */
export function authorize({ headers }: IncomingMessage, caller: Caller, scope: RouteScope): void {
  if (scope === 'none') return;
  if (caller.scopes.includes('admin') || caller.scopes.includes(scope)) return;
  if (headers.authorization === undefined) {
    throw new GantryError(
      'unauthorized',
      'This request needs the admin token: Authorization: Bearer <token>.',
    );
  }
  throw new GantryError('scope_missing', `This token lacks the scope "${scope}".`, { detail: { scope } });
}
