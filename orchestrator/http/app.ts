import type { RequestListener } from 'node:http';
import Koa, { type Middleware } from 'koa';
import { messageOf } from '../kernel/index.ts';
import { ALL_SERVERS } from '../session/index.ts';
import { answerErrors } from './answer-errors.ts';
import { type Admit, admission } from './guards/index.ts';
import { mcpEntrance } from './mcp/entrance.ts';
import { handlerOf } from './mcp/handler.ts';
import { mountRoutes } from './mount-routes.ts';
import type { Route } from './openapi/define-route.ts';
import type { HttpOptions } from './options.ts';
import { stateWhenEnded } from './request-facts.ts';
import { pathOf, stateOf } from './request-state.ts';
import { allRoutes } from './routes/index.ts';
import { mcpRoutesAt } from './routes/mcp.ts';

/** The HTTP API and all MCP endpoints: what answers on the main port. */
export function createApp(options: HttpOptions): RequestListener {
  const admit = admission(options);
  const routed = appOf(options, admit, allRoutes(options));
  const mcp = handlerOf(options.mcp, ALL_SERVERS);
  const otherwise = mcpEntrance({ ...options, mcp, admit, path: '/mcp', otherwise: routed });
  return mcpEntrance({ ...options, admit, path: '/mcp/{server}', otherwise });
}

/** One server alone, at `/mcp`: what answers on the port of its own that a server may have. */
export function createServerPortApp(options: HttpOptions, server: string): RequestListener {
  const admit = admission(options);
  const mcp = handlerOf(options.mcp, server);
  const otherwise = appOf(options, admit, mcpRoutesAt('/mcp', 'mcp', mcp));
  return mcpEntrance({ ...options, mcp, admit, path: '/mcp', otherwise });
}

function appOf(options: HttpOptions, admit: Admit, routes: readonly Route[]): RequestListener {
  const app = new Koa();
  // Forwarded headers are not believed: nothing is known to stand in front.
  app.proxy = false;
  const chain: readonly Middleware[] = [
    // Outermost, so that every answer is counted, refusals too.
    async (ctx, next) => {
      stateWhenEnded(options.facts, ctx, stateOf(ctx));
      await next();
    },
    // Around everything that may throw, so that no error finds its own way out.
    answerErrors(options.facts),
    // Who calls; what the caller may do is asked by each route, before it reads a body.
    async (ctx, next) => {
      stateOf(ctx).caller = admit(ctx.req, pathOf(ctx.req));
      await next();
    },
    // The routes, and last of all the answer that there is no such route.
    ...mountRoutes(routes, options.maxBodyBytes),
  ];
  for (const middleware of chain) app.use(middleware);
  // Koa reports here what went wrong after the answer had begun. Clients leave all the time; that is no trouble.
  app.on('error', (error: NodeJS.ErrnoException) => {
    if (LEAVING.has(error.code ?? '')) return;
    options.facts.state({ type: 'trouble', where: 'http answer', message: messageOf(error) });
  });
  return app.callback();
}

const LEAVING: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ERR_STREAM_PREMATURE_CLOSE',
]);
