import type { CallOptions } from '../channel/index.ts';
import { isObject, type JsonRpcError, type JsonRpcOutcome, type ToolView } from '../kernel/index.ts';

/** A server that pages for ever is cut off: claude-flow, the largest list seen, has 353 tools on one page. */
const MAX_PAGES = 100;
/** After so much text no further page is asked for: a list is kept in memory. */
const MAX_CHARS = 16 * 1024 * 1024;

/** What lists tools: a replica, or a router that picks one for every page. */
export type ToolSource = {
  call(
    method: string,
    params: Record<string, unknown> | undefined,
    options: CallOptions,
  ): Promise<JsonRpcOutcome>;
};

export type ToolList = {
  /** Each as the server wrote it. Where a page was refused, those of the pages before. */
  readonly tools: readonly ToolView[];
  /** The server's own error, where it refused a page. */
  readonly error: JsonRpcError | null;
};

/** All pages of a server's tools. @param options for each page. @throws as `call` of the source does */
export async function listTools(source: ToolSource, options: CallOptions): Promise<ToolList> {
  const tools: ToolView[] = [];
  let chars = 0;
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES && chars < MAX_CHARS; page++) {
    const params: Record<string, unknown> | undefined = cursor === null ? undefined : { cursor };
    const outcome = await source.call('tools/list', params, options);
    if (!outcome.ok) return { tools, error: outcome.error };
    const { tools: listed, nextCursor } = isObject(outcome.result) ? outcome.result : {};
    if (Array.isArray(listed)) for (const tool of listed) if (isTool(tool)) tools.push(tool);
    if (typeof nextCursor !== 'string' || nextCursor === '') break;
    chars += outcome.raw.length;
    cursor = nextCursor;
  }
  return { tools, error: null };
}

function isTool(value: unknown): value is ToolView {
  return isObject(value) && typeof value.name === 'string';
}
