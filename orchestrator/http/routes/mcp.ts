import { GantryError } from '../../kernel/index.ts';
import { ALL_SERVERS } from '../../session/index.ts';
import { handlerOf, type McpHandler } from '../mcp/handler.ts';
import { type AnswerRule, defineRoute, type Route } from '../openapi/define-route.ts';
import { JsonRpcMessage } from '../openapi/schemas.ts';
import type { HttpOptions } from '../options.ts';
import { stateOf } from '../request-state.ts';

type McpMethod = 'POST' | 'GET' | 'DELETE';

const STREAM = { 'text/event-stream': JsonRpcMessage };
const METHODS: Readonly<Record<McpMethod, { summary: string; answers: Record<number, AnswerRule> }>> = {
  POST: {
    summary: 'Send a JSON-RPC message to a server (MCP Streamable HTTP)',
    answers: {
      200: {
        description: 'The answer, as JSON or as the last message of a stream',
        content: { 'application/json': JsonRpcMessage, ...STREAM },
      },
      202: { description: 'A notification or an answer was taken' },
    },
  },
  GET: {
    summary: 'Listen to what a server says by itself, or resume a stream',
    answers: {
      200: { description: 'Messages', content: STREAM },
      204: { description: 'The stream of Last-Event-ID is over and nothing of it was missed' },
    },
  },
  DELETE: {
    summary: 'End a session and the replica it holds',
    answers: { 204: { description: 'Ended' }, 200: { description: 'Ended' } },
  },
};

/** The MCP endpoint of all servers together, and that of each server or named set of them. */
export function mcpRoutes({ mcp }: Pick<HttpOptions, 'mcp'>): Route[] {
  const all = handlerOf(mcp, ALL_SERVERS);
  return [...mcpRoutesAt('/mcp/{server}', 'mcp', mcp), ...mcpRoutesAt('/mcp', 'mcpAll', all)];
}

/**
 * An MCP endpoint. Its handler is handed in and does all the work: what stands here puts it into the document, and serves
 * addresses that are written in another way than `mcp/entrance.ts` knows.
 */
export function mcpRoutesAt(path: string, id: string, mcp: McpHandler): Route[] {
  return (Object.keys(METHODS) as McpMethod[]).map((method) =>
    defineRoute({
      method,
      path,
      operationId: `${id}${method.charAt(0)}${method.slice(1).toLowerCase()}`,
      summary: METHODS[method].summary,
      tag: 'mcp',
      scope: 'call',
      ...(path.includes('{server}')
        ? { params: { server: 'Name of a server, or @ and that of a set' } }
        : {}),
      answers: METHODS[method].answers,
      errors: [
        'invalid_request',
        'parse_error',
        'invalid_params',
        'header_mismatch',
        'unsupported_version',
        'request_state_refused',
        'method_not_found',
        'method_not_allowed',
        'body_too_large',
        'not_acceptable',
        'unsupported_media_type',
        'server_not_found',
        'session_not_found',
        'invalid_state',
        'queue_full',
        'replica_failed',
        'no_replica',
        'engine_unavailable',
        'call_timeout',
      ],
      handle: async ({ ctx, params, caller }) => {
        // The router answers HEAD by the GET route; here that would open a stream nobody reads.
        if (ctx.method === 'HEAD') {
          throw new GantryError('method_not_allowed', 'HEAD is not served here.', {
            detail: { allow: Object.keys(METHODS) },
          });
        }
        const { req, res } = ctx;
        ctx.respond = false;
        await mcp({
          req,
          res,
          server: params.server ?? '',
          principal: caller.principal,
          state: stateOf(ctx),
        });
        return { kind: 'done' };
      },
    }),
  );
}
