import { z } from 'zod';
import { GantryError } from '../../kernel/index.ts';
import { defineRoute, type Route } from '../openapi/define-route.ts';
import { JsonRpcMessage } from '../openapi/schemas.ts';
import type { HttpOptions } from '../options.ts';

/**
 * The transport of MCP 2024-11-05, for clients that still speak it. Its middleware is handed in and does all the
 * work: what stands here puts it behind the guards and into the document.
 */
export function sseRoutes({ sse }: Pick<HttpOptions, 'sse'>): Route[] {
  const params = { server: 'Name of a server, or @ and that of a set' };
  return [
    defineRoute({
      method: 'GET',
      path: '/sse/{server}',
      operationId: 'sseGet',
      summary: 'Open the stream of the deprecated transport HTTP+SSE (MCP 2024-11-05)',
      tag: 'mcp',
      scope: 'call',
      params,
      answers: {
        200: {
          description: 'First the event `endpoint`, where to post; then every message of the server',
          content: { 'text/event-stream': JsonRpcMessage },
        },
      },
      errors: ['invalid_request', 'not_acceptable', 'server_not_found'],
      handle: async ({ ctx }) => {
        // The router answers HEAD by the GET route; here that would open a stream nobody reads.
        if (ctx.method === 'HEAD') {
          throw new GantryError('method_not_allowed', 'HEAD is not served here.', {
            detail: { allow: ['GET'] },
          });
        }
        await sse(ctx, async () => {});
        return { kind: 'done' };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/messages/{server}',
      operationId: 'messagesPost',
      summary: 'Send a JSON-RPC message to a server; what comes of it is on the stream (HTTP+SSE)',
      tag: 'mcp',
      scope: 'call',
      params,
      query: z.object({ sessionId: z.string().min(1) }),
      answers: { 202: { description: 'Taken' } },
      errors: [
        'invalid_request',
        'parse_error',
        'body_too_large',
        'unsupported_media_type',
        'server_not_found',
        'session_not_found',
        'replica_failed',
      ],
      handle: async ({ ctx }) => {
        await sse(ctx, async () => {});
        return { kind: 'empty', status: ctx.status };
      },
    }),
  ];
}
