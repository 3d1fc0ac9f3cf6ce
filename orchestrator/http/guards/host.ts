import type { Middleware } from 'koa';
import { GantryError } from '../../kernel/index.ts';
import { hostNameOf, isLoopback } from './loopback.ts';

/**
 * Refuses a foreign `Host`: a web page can point a name of its own at 127.0.0.1 (DNS rebinding), and then only
 * this header tells. An entry of `allowedHosts` is a host name, at any port, or `host:port`.
 */
export function guardHost(allowedHosts: readonly string[]): Middleware {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()));
  return async (ctx, next) => {
    const host = (ctx.req.headers.host ?? '').toLowerCase();
    const name = hostNameOf(host);
    if (!isLoopback(host) && (name === null || !(allowed.has(name) || allowed.has(host)))) {
      throw new GantryError(
        'host_forbidden',
        'This Host is not served here; list it under http.allowedHosts.',
      );
    }
    await next();
  };
}
