import type { Middleware } from 'koa';
import { GantryError } from '../../kernel/index.ts';
import { isLoopback } from './loopback.ts';

/**
 * Refuses requests that a web page of another origin makes. Tools send no `Origin` and pass; `null` (a sandboxed
 * frame, a file) could be anybody and does not. The MCP transports require 403 here.
 */
export function guardOrigin(allowedOrigins: readonly string[]): Middleware {
  const allowed = new Set(allowedOrigins.map((origin) => origin.toLowerCase()));
  return async (ctx, next) => {
    const header = ctx.req.headers.origin;
    if (header !== undefined) {
      const origin = header.toLowerCase();
      const authority = /^https?:\/\/(.+)$/.exec(origin)?.[1];
      if (!allowed.has(origin) && !(authority !== undefined && isLoopback(authority))) {
        throw new GantryError(
          'origin_forbidden',
          'This Origin may not call; list it under http.allowedOrigins.',
        );
      }
    }
    await next();
  };
}
