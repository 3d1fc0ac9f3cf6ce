import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import { CallToolResult, ToolArguments, ToolList } from '../openapi/schemas.ts';
import type { HttpOptions } from '../options.ts';

export function toolRoutes({ tools }: HttpOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/servers/{name}/tools',
      operationId: 'listTools',
      summary: 'The tools of a server, as it describes them',
      tag: 'tools',
      scope: 'call',
      params: { name: 'Name of a server' },
      answers: { 200: { description: 'Its tools', content: { 'application/json': ToolList } } },
      errors: [
        'server_not_found',
        'invalid_state',
        'mcp_error',
        'replica_failed',
        'no_replica',
        'call_timeout',
        'queue_full',
      ],
      handle: async ({ params, caller, gone }) =>
        json({ tools: await tools.list(params.name ?? '', caller.principal, gone()) }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/servers/{name}/tools/{tool}',
      operationId: 'callTool',
      summary: 'Call a tool; the body is its arguments',
      tag: 'tools',
      scope: 'call',
      params: { name: 'Name of a server', tool: 'Name of a tool, percent-encoded' },
      body: { schema: ToolArguments, absent: {} },
      answers: {
        200: {
          description: 'The CallToolResult, unchanged',
          content: { 'application/json': CallToolResult },
        },
      },
      errors: [
        'server_not_found',
        'invalid_state',
        'tool_not_found',
        'mcp_error',
        'replica_failed',
        'no_replica',
        'call_timeout',
        'queue_full',
      ],
      handle: async ({ params, body, caller, gone }) => {
        const { name = '', tool = '' } = params;
        // The text goes out as it came in: numbers beyond 2^53 do not survive parse and stringify.
        const text = await tools.call(name, tool, body, caller.principal, gone());
        return { kind: 'text', status: 200, type: 'application/json', text };
      },
    }),
  ];
}
