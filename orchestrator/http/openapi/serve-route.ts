import type { Context, Middleware } from 'koa';
import type { z } from 'zod';
import { type ErrorCode, GantryError } from '../../kernel/index.ts';
import { hasNoBody, readJson } from '../body.ts';
import { authorize, NOBODY } from '../guards/auth.ts';
import { clientGone, stateOf } from '../request-state.ts';
import { sendEvents } from '../sse.ts';
import type { Answer, Route } from './define-route.ts';

/** The middleware of one described route: scope, then shape, then its handler, then its answer. */
export function serveRoute(route: Route, maxBodyBytes: number): Middleware {
  return async (ctx) => {
    const caller = stateOf(ctx).caller ?? NOBODY;
    authorize(ctx.req, caller, route.scope);
    const { invalid = 'invalid_request' } = route;
    const query = route.query === undefined ? {} : check(route.query, ctx.query, 'query', invalid);
    const body =
      route.body === undefined ? undefined : await readBody(ctx, route.body, maxBodyBytes, invalid);
    const params = (ctx as Context & { params?: Record<string, string> }).params ?? {};
    await send(ctx, await route.handle({ params, query, body, caller, gone: () => clientGone(ctx), ctx }));
  };
}

async function readBody(
  ctx: Context,
  rule: NonNullable<Route['body']>,
  maxBytes: number,
  invalid: ErrorCode,
): Promise<unknown> {
  if (rule.absent !== undefined && hasNoBody(ctx)) return rule.absent;
  const types = rule.types;
  const { value } = await readJson(ctx, types === undefined ? { maxBytes } : { maxBytes, types });
  return check(rule.schema, value, 'body', invalid);
}

function check(schema: z.ZodType, value: unknown, where: 'query' | 'body', invalid: ErrorCode): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => ({
    path: [where, ...issue.path].join('.'),
    message: issue.message,
  }));
  const first = problems[0];
  throw new GantryError(invalid, `${first?.path ?? where}: ${first?.message ?? 'not as described'}`, {
    detail: { problems },
  });
}

async function send(ctx: Context, answer: Answer): Promise<void> {
  switch (answer.kind) {
    case 'json':
      ctx.status = answer.status;
      ctx.set({ ...answer.headers });
      ctx.type = 'application/json';
      ctx.body = JSON.stringify(answer.value);
      return;
    case 'text':
      ctx.status = answer.status;
      ctx.type = answer.type;
      ctx.body = answer.text;
      return;
    case 'events':
      return sendEvents(ctx, answer.events, answer.until);
    case 'empty':
      if (ctx.respond === false) return; // answered already, past Koa
      // Koa writes the reason phrase as text where no body was set; null says that there is none, and sets 204.
      ctx.body = null;
      ctx.status = answer.status;
      return;
    case 'done':
      return;
  }
}
