import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import {
  GantryError,
  isJsonRpcId,
  isObject,
  type JsonRpcId,
  type JsonRpcOutcome,
} from '../../kernel/index.ts';
import { traceIdOf } from '../mcp/trace-context.ts';
import { defineRoute, type Route } from '../openapi/define-route.ts';
import { CallAnswer, CallRequest } from '../openapi/mesh-v2-schemas.ts';
import type { HttpOptions } from '../options.ts';
import { unprocessable } from './mesh-register.ts';

/** Requests that only mean something in a session, or that only Gantry itself makes. */
const NEED_SESSION = new Set([
  'initialize',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
]);
const TOOL_PATH = /^\/tools\/([^/?]+)$/;

/** A call as the service is asked it. `id`: the caller's, where the body is a JSON-RPC request. */
type Asked = {
  readonly method: string;
  readonly params: Record<string, unknown> | undefined;
  readonly id?: JsonRpcId;
};

/** One call to a service, balanced and guarded as all others. */
export function callRoutes({ mesh }: HttpOptions): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/mesh/v2/call',
      operationId: 'callService',
      summary: 'Call a tool (path /tools/{tool}, arguments as body), or send one JSON-RPC request (body)',
      tag: 'mesh',
      scope: 'call',
      body: { schema: CallRequest },
      invalid: 'unprocessable',
      answers: {
        200: { description: 'What the service answered', content: { 'application/json': CallAnswer } },
      },
      errors: [
        'server_not_found',
        'tool_not_found',
        'invalid_state',
        'queue_full',
        'mcp_error',
        'replica_failed',
        'engine_unavailable',
        'no_replica',
        'call_timeout',
      ],
      handle: async ({ body, caller, gone, ctx }) => {
        const asked = askedOf(body);
        const startedAt = performance.now();
        const { outcome, replica } = await mesh.call({
          server: body.service_name,
          principal: caller.principal,
          method: asked.method,
          params: asked.params,
          timeoutMs: body.timeout * 1000,
          attempts: body.retry_count + 1,
          signal: gone(),
        });
        const answer = {
          status_code: 200,
          headers: { 'content-type': 'application/json' },
          instance_id: idOf(replica),
          trace_id: traceIdOf(ctx.get('traceparent')) ?? randomBytes(16).toString('hex'),
          duration: (performance.now() - startedAt) / 1000,
        };
        // As the server wrote it: numbers beyond 2^53 do not survive parse and stringify.
        const text = `${JSON.stringify(answer).slice(0, -1)},"body":${textOf(body.service_name, asked, outcome)}}`;
        return { kind: 'text', status: 200, type: 'application/json', text };
      },
    }),
  ];

  function idOf(replica: string | null): string | null {
    const registered = mesh.registrations().map(({ service }) => service);
    const places = [...new Set(registered)].flatMap((service) => mesh.places(service));
    return places.find((place) => place.replica === replica)?.registeredAs ?? replica;
  }
}

/** @throws GantryError unprocessable */
function askedOf({ path, body }: CallRequest): Asked {
  if (isObject(body) && body.jsonrpc === '2.0') return jsonRpcOf(body);
  const tool = TOOL_PATH.exec(path)?.[1];
  if (tool === undefined) {
    throw unprocessable(
      'body.path',
      'must be /tools/{tool}, or body.body one JSON-RPC request: services speak MCP',
    );
  }
  const args = body ?? {};
  if (!isObject(args)) throw unprocessable('body.body', 'must be an object: the arguments of the tool');
  return { method: 'tools/call', params: { name: decoded(tool), arguments: args } };
}

function jsonRpcOf({ id, method, params }: Record<string, unknown>): Asked {
  if (typeof method !== 'string') throw unprocessable('body.body.method', 'must be a string');
  if (!isJsonRpcId(id))
    throw unprocessable('body.body.id', 'must be a string or a number: only a request is answered');
  if (params !== undefined && !isObject(params)) throw unprocessable('body.body.params', 'must be an object');
  if (NEED_SESSION.has(method)) {
    throw unprocessable('body.body.method', `${method} needs a session: POST it to /mcp/{server}`);
  }
  return { method, params, id };
}

/** @throws GantryError unprocessable */
function decoded(tool: string): string {
  try {
    return decodeURIComponent(tool);
  } catch {
    throw unprocessable('body.path', 'is not percent-encoded');
  }
}

/** @throws GantryError mcp_error where a tool was called by its path and the server refused */
function textOf(server: string, { id }: Asked, outcome: JsonRpcOutcome): string {
  if (id !== undefined) {
    const said = outcome.ok ? `"result":${outcome.raw}` : `"error":${JSON.stringify(outcome.error)}`;
    return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${said}}`;
  }
  if (outcome.ok) return outcome.raw;
  const { code, message, data } = outcome.error;
  throw new GantryError('mcp_error', `Server ${server} answered with error ${code}: ${message}`, {
    detail: { code, message, data: data ?? null },
  });
}
