import { GantryError, type JsonRpcOutcome, type ToolView } from '../kernel/index.ts';
import type { Router } from '../routing/index.ts';

/** A server that pages for ever is cut off: claude-flow, the largest list seen, has 353 tools on one page. */
const MAX_PAGES = 100;

/** Tools without a session: what a REST caller needs. */
export class Tools {
  readonly #router: Router;

  constructor(router: Router) {
    this.#router = router;
  }

  /** All pages of the list, each tool as the server wrote it. @throws as `Router.call`, and mcp_error */
  async list(server: string, principal: string): Promise<readonly ToolView[]> {
    const tools: ToolView[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < MAX_PAGES; page++) {
      const params: Record<string, unknown> = cursor === null ? {} : { cursor };
      const result = unwrap(
        server,
        await this.#router.call(server, principal, { method: 'tools/list', params }),
      ).result;
      const { tools: listed, nextCursor } = result as { tools?: unknown; nextCursor?: unknown };
      if (Array.isArray(listed)) tools.push(...listed.filter(isTool));
      if (typeof nextCursor !== 'string' || nextCursor === '') return tools;
      cursor = nextCursor;
    }
    return tools;
  }

  /** @returns the exact JSON text of the CallToolResult. @throws as `Router.call`, tool_not_found, mcp_error */
  async call(
    server: string,
    tool: string,
    args: Record<string, unknown>,
    principal: string,
    signal: AbortSignal,
  ): Promise<string> {
    const request = { method: 'tools/call', params: { name: tool, arguments: args } };
    const outcome = await this.#router.call(server, principal, request, { signal });
    // Servers say "unknown tool" in many ways; their own list is the one that counts.
    if (saysUnknown(outcome) && !(await this.#has(server, tool, principal))) {
      throw new GantryError('tool_not_found', `Server ${server} has no tool named ${tool}.`, {
        detail: { server, tool },
      });
    }
    return unwrap(server, outcome).raw;
  }

  async #has(server: string, tool: string, principal: string): Promise<boolean> {
    return (await this.list(server, principal)).some(({ name }) => name === tool);
  }
}

/** Whether the answer may mean that the tool does not exist: an error, or an error result as the SDKs send it. */
function saysUnknown(outcome: JsonRpcOutcome): boolean {
  return !outcome.ok || (outcome.result as { isError?: unknown } | null)?.isError === true;
}

function unwrap(server: string, outcome: JsonRpcOutcome): Extract<JsonRpcOutcome, { ok: true }> {
  if (outcome.ok) return outcome;
  const { code, message, data } = outcome.error;
  throw new GantryError('mcp_error', `Server ${server} answered with error ${code}: ${message}`, {
    detail: { code, message, data: data ?? null },
  });
}

function isTool(value: unknown): value is ToolView {
  return (
    typeof value === 'object' && value !== null && typeof (value as { name?: unknown }).name === 'string'
  );
}
