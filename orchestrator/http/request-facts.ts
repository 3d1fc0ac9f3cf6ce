import type { Middleware } from 'koa';
import type { Facts } from '../kernel/index.ts';
import { statusOf } from './error-map.ts';
import { stateOf } from './request-state.ts';

/** States one fact per request when its answer has ended, also for answers that the client did not wait for. */
export function requestFacts(facts: Facts): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now();
    ctx.res.once('close', () => {
      const status = ctx.res.headersSent ? ctx.res.statusCode : statusOf('cancelled');
      const durationMs = performance.now() - startedAt;
      const route = stateOf(ctx).route ?? 'unmatched';
      facts.state({ type: 'http.request', method: ctx.method, route, status, durationMs });
    });
    await next();
  };
}
