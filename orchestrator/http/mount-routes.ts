import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { GantryError } from '../kernel/index.ts';
import type { Route } from './openapi/define-route.ts';
import { serveRoute } from './openapi/serve-route.ts';
import { stateOf } from './request-state.ts';

/** The two last middlewares: the described routes, and the answer for everything else. */
export function mountRoutes(routes: readonly Route[], maxBodyBytes: number): Middleware[] {
  const router = new Router({ sensitive: true });
  for (const route of routes) {
    const serve = serveRoute(route, maxBodyBytes);
    router.register(route.path.replaceAll(/\{(\w+)\}/g, ':$1'), [route.method], async (ctx, next) => {
      stateOf(ctx as Context).route = route.path;
      await serve(ctx as Context, next);
    });
  }
  const refuse: Middleware = async (ctx) => {
    const allow = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods));
    if (allow.size > 0) {
      const detail = { allow: [...allow] };
      throw new GantryError('method_not_allowed', `${ctx.method} is not served here.`, { detail });
    }
    throw new GantryError(
      'route_not_found',
      'There is nothing at this address; GET /openapi.json lists what there is.',
    );
  };
  return [router.routes() as unknown as Middleware, refuse];
}
