import Koa, { type Middleware } from 'koa';
import { messageOf } from '../kernel/index.ts';
import { answerErrors } from './answer-errors.ts';
import { identify } from './guards/auth.ts';
import { guardHost } from './guards/host.ts';
import { guardOrigin } from './guards/origin.ts';
import { mountRoutes } from './mount-routes.ts';
import type { Route } from './openapi/define-route.ts';
import type { HttpOptions } from './options.ts';
import { requestFacts } from './request-facts.ts';
import { allRoutes } from './routes/index.ts';
import { mcpRoutesAt } from './routes/mcp.ts';

/** Probes have no token. */
const PUBLIC_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** The HTTP API and all MCP endpoints: what answers on the main port. */
export function createApp(options: HttpOptions): Koa {
  return appOf(options, allRoutes(options));
}

/** One server alone, at `/mcp`: what answers on the port of its own that a server may have. */
export function createServerPortApp(options: HttpOptions, server: string): Koa {
  const named: Middleware = (ctx, next) => {
    ctx.params = { server };
    return options.mcp(ctx, next);
  };
  return appOf(options, mcpRoutesAt('/mcp', 'mcp', named));
}

function appOf(options: HttpOptions, routes: readonly Route[]): Koa {
  const app = new Koa();
  // Forwarded headers are not believed: nothing is known to stand in front.
  app.proxy = false;
  const chain: readonly Middleware[] = [
    // Outermost, so that every answer is counted, refusals too.
    requestFacts(options.facts),
    // Around everything that may throw, so that no error finds its own way out.
    answerErrors(options.facts),
    // The cheapest refusals, and those that protect a user's browser, before any secret is looked at.
    guardHost(options.allowedHosts),
    guardOrigin(options.allowedOrigins),
    // Who calls; what the caller may do is asked by each route, before it reads a body.
    identify(options.auth, PUBLIC_PATHS),
    // The routes, and last of all the answer that there is no such route.
    ...mountRoutes(routes, options.maxBodyBytes),
  ];
  for (const middleware of chain) app.use(middleware);
  // Koa reports here what went wrong after the answer had begun. Clients leave all the time; that is no trouble.
  app.on('error', (error: NodeJS.ErrnoException) => {
    if (LEAVING.has(error.code ?? '')) return;
    options.facts.state({ type: 'trouble', where: 'http answer', message: messageOf(error) });
  });
  return app;
}

const LEAVING: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ERR_STREAM_PREMATURE_CLOSE',
]);
