import {
  allowedTools,
  allowsTool,
  GantryError,
  isObject,
  type JsonRpcError,
  type JsonRpcOutcome,
  MISSING_CAPABILITY,
  type ToolView,
} from '../kernel/index.ts';
import type { RoutedCallOptions, Router } from '../routing/index.ts';

export type ToolCall = {
  readonly server: string;
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly principal: string;
};

/** Tools without a session: what a REST caller needs. */
export class Tools {
  readonly #router: Router;

  constructor(router: Router) {
    this.#router = router;
  }

  /** Whether a call would be tried at all. @throws GantryError server_not_found, tool_not_found (not offered) */
  check(server: string, tool: string): void {
    if (!allowsTool(this.#router.spec(server).tools, tool)) throw toolNotFound(server, tool);
  }

  /** Each tool as the server wrote it. @throws as `Router.call`, and mcp_error */
  async list(server: string, principal: string, signal: AbortSignal): Promise<readonly ToolView[]> {
    const { tools, error } = await this.#router.tools(server, principal, { signal });
    if (error !== null) throw refused(server, error);
    return allowedTools(this.#router.spec(server).tools, tools);
  }

  /** @returns the exact JSON text of the CallToolResult. @throws as `Router.call`, tool_not_found, mcp_error */
  async call(
    server: string,
    tool: string,
    args: Record<string, unknown>,
    principal: string,
    signal: AbortSignal,
  ): Promise<string> {
    this.check(server, tool);
    const outcome = await this.#router.call(server, principal, toolCall(tool, args), { signal });
    if (await isUnknownTool(this.#router, { server, tool, principal }, outcome, signal)) {
      throw toolNotFound(server, tool);
    }
    return unwrap(server, outcome).raw;
  }

  /**
   * The same for whoever has to know exactly whether the tool may have run: nothing else is asked of the server, so
   * every error is one of the call itself. @throws as `Router.call` and `beforeSend`, mcp_error
   */
  async run(
    { server, tool, args, principal }: ToolCall,
    options: Pick<RoutedCallOptions, 'signal' | 'beforeSend'>,
  ): Promise<{ readonly raw: string; readonly isError: boolean }> {
    this.check(server, tool);
    const outcome = await this.#router.call(server, principal, toolCall(tool, args), options);
    return { raw: unwrap(server, outcome).raw, isError: isErrorAnswer(outcome) };
  }
}

function toolCall(tool: string, args: Record<string, unknown>) {
  return { method: 'tools/call', params: { name: tool, arguments: args } };
}

/** An error, or an error result, as the SDKs send it also for a tool that does not exist. */
function isErrorAnswer(outcome: JsonRpcOutcome): boolean {
  return !outcome.ok || (outcome.result as { isError?: unknown } | null)?.isError === true;
}

/**
 * Whether a call ended in an error because the server has no such tool. Servers say that in many ways; their own list is
 * the one that counts: as it is known, and where the tool is not in it, as the server gives it now. Where it gives none
 * the answer stands, since the tool may have run. Never rejects.
 */
export async function isUnknownTool(
  router: Router,
  { server, tool, principal }: Omit<ToolCall, 'args'>,
  outcome: JsonRpcOutcome,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isErrorAnswer(outcome)) return false;
  const isListed = (tools: readonly ToolView[]): boolean => tools.some(({ name }) => name === tool);
  if (isListed(router.knownTools(server))) return false;
  try {
    const { tools, error } = await router.tools(server, principal, { signal });
    return error === null && !isListed(tools);
  } catch {
    return false; // no replica, no place, no time: none of that is the call's
  }
}

export function toolNotFound(server: string, tool: string): GantryError {
  return new GantryError('tool_not_found', `Server ${server} has no tool named ${tool}.`, {
    detail: { server, tool },
  });
}

function unwrap(server: string, outcome: JsonRpcOutcome): Extract<JsonRpcOutcome, { ok: true }> {
  if (!outcome.ok) throw refused(server, outcome.error);
  if (isObject(outcome.result) && outcome.result.resultType === 'input_required') {
    const message = 'the tool asks for input, which only a client of MCP can give';
    throw refused(server, { code: MISSING_CAPABILITY, message, data: outcome.result.inputRequests });
  }
  return outcome;
}

function refused(server: string, { code, message, data }: JsonRpcError): GantryError {
  return new GantryError('mcp_error', `Server ${server} answered with error ${code}: ${message}`, {
    detail: { code, message, data: data ?? null },
  });
}
