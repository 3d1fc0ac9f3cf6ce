import type { Context } from 'koa';
import type { z } from 'zod';
import type { ErrorCode } from '../../kernel/index.ts';
import type { Caller } from '../control.ts';
import type { RouteScope } from '../guards/auth.ts';

/**
 * A route is described once. From the description come its registration, the check of its request and its part
 * of /openapi.json (`document.ts`), so a route that is not documented cannot exist.
 */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** As OpenAPI writes it: `/api/v1/servers/{name}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tag: string;
  readonly scope: RouteScope;
  /** What each `{parameter}` of the path is, in words. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: z.ZodObject;
  readonly body?: BodyRule;
  /** What a query or body is refused with that is not as described; `invalid_request` unless users know another. */
  readonly invalid?: 'unprocessable';
  /** Every status of success. */
  readonly answers: Readonly<Record<number, AnswerRule>>;
  /** Errors particular to this route; those of every route are added by the document. */
  readonly errors: readonly ErrorCode[];
  readonly handle: (request: RouteRequest) => Promise<Answer>;
};

export type BodyRule = {
  readonly schema: z.ZodType;
  /** The schema to document where another room checks the body, in place of `schema`. */
  readonly document?: Readonly<Record<string, unknown>>;
  readonly types?: readonly string[];
  /** No body at all counts as this value. */
  readonly absent?: unknown;
};

export type AnswerRule = {
  readonly description: string;
  /** By media type; `null` is any text. */
  readonly content?: Readonly<Record<string, z.ZodType | null>>;
  readonly headers?: Readonly<Record<string, string>>;
};

export type RouteRequest<Query = unknown, Body = unknown> = {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** Aborts when the client goes away unanswered. */
  readonly gone: () => AbortSignal;
  readonly ctx: Context;
};

export type Answer =
  | {
      readonly kind: 'json';
      readonly status: number;
      readonly value: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Text that is sent as it is. */
  | { readonly kind: 'text'; readonly status: number; readonly type: string; readonly text: string }
  | { readonly kind: 'events'; readonly events: AsyncIterable<unknown>; readonly until: AbortSignal }
  | { readonly kind: 'empty'; readonly status: number }
  /** Somebody else has answered or will: the MCP routes. */
  | { readonly kind: 'done' };

export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return { kind: 'json', status, value, headers };
}

/** A route whose handler sees the types of its own schemas. */
export function defineRoute<Query extends z.ZodObject = z.ZodObject, Body extends z.ZodType = z.ZodType>(
  route: Omit<Route, 'query' | 'body' | 'handle'> & {
    readonly query?: Query;
    readonly body?: BodyRule & { readonly schema: Body };
    readonly handle: (request: RouteRequest<z.output<Query>, z.output<Body>>) => Promise<Answer>;
  },
): Route {
  // Sound because `serve-route.ts` hands a handler only what the very same schemas have let through.
  return route as unknown as Route;
}
