import {
  allowsTool,
  elementTexts,
  isObject,
  type JsonRpcOutcome,
  type ServerSpec,
  type ToolFilter,
} from '../kernel/index.ts';
import type { Backend } from './backend.ts';
import { memberOf, withMembers } from './modern/json-members.ts';

/** What the protocol wants for a tool that does not exist (MCP 2025-11-25, server/tools). */
const UNKNOWN_TOOL = -32602;

/** The answer to a call of a tool that is not offered; null where the server may be asked. */
export function refusedTool(
  { name: server, tools }: Pick<ServerSpec, 'name' | 'tools'>,
  method: string,
  params: Readonly<Record<string, unknown>> | undefined,
): JsonRpcOutcome | null {
  const tool = params?.name;
  if (method !== 'tools/call' || typeof tool !== 'string' || allowsTool(tools, tool)) return null;
  const message = `Unknown tool: ${tool}`;
  return {
    ok: false,
    error: { code: UNKNOWN_TOOL, message, data: { code: 'tool_not_found', server, tool } },
  };
}

/** A page of tools without those that are not offered; the others keep their text. */
export function onlyOffered(filter: ToolFilter, method: string, outcome: JsonRpcOutcome): JsonRpcOutcome {
  const isOpen = filter.allow === null && filter.deny.length === 0;
  if (isOpen || method !== 'tools/list' || !outcome.ok) return outcome;
  const { tools } = isObject(outcome.result) ? outcome.result : {};
  if (!Array.isArray(tools)) return outcome;
  const isOffered = (tool: unknown): boolean =>
    isObject(tool) && typeof tool.name === 'string' && allowsTool(filter, tool.name);
  const texts = elementTexts(memberOf(outcome.raw, 'tools') ?? '[]').filter((_, at) => isOffered(tools[at]));
  return {
    ok: true,
    result: { ...(outcome.result as object), tools: tools.filter(isOffered) },
    raw: withMembers(outcome.raw, { tools: `[${texts.join(',')}]` }),
  };
}

/** A backend whose tools are those that are offered. @param spec as it is now, for a filter may change meanwhile */
export function gated(backend: Backend, spec: () => ServerSpec): Backend {
  const offered = (method: string, outcome: Promise<JsonRpcOutcome>): Promise<JsonRpcOutcome> =>
    method === 'tools/list' ? outcome.then((list) => onlyOffered(spec().tools, method, list)) : outcome;
  const { keep, resume } = backend;
  return {
    takeover: backend.takeover,
    ...(keep === undefined ? {} : { keep: () => keep() }),
    ...(resume === undefined
      ? {}
      : { resume: (call, options) => offered(call.method, resume(call, options)) }),
    replica: backend.replica,
    over: backend.over,
    initialize: (params, signal) => backend.initialize(params, signal),
    call(method, params, options) {
      const refusal = method === 'tools/call' ? refusedTool(spec(), method, params) : null;
      if (refusal !== null) return Promise.resolve(refusal);
      return offered(method, backend.call(method, params, options));
    },
    notify: (method, params) => backend.notify(method, params),
    respond: (id, answer) => backend.respond(id, answer),
    listen: (listener) => backend.listen(listener),
    close: (why) => backend.close(why),
  };
}
