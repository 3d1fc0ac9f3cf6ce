import type { CallOptions } from '../channel/index.ts';
import type { JsonRpcError, ToolView } from '../kernel/index.ts';
import { type ListSource, listAll } from './list-offers.ts';

export type ToolList = {
  /** Each as the server wrote it. Where a page was refused, those of the pages before. */
  readonly tools: readonly ToolView[];
  /** The server's own error, where it refused a page. */
  readonly error: JsonRpcError | null;
};

/** All pages of a server's tools. @param options for each page. @throws as `call` of the source does */
export async function listTools(source: ListSource, options: CallOptions): Promise<ToolList> {
  const { entries, error } = await listAll(source, 'tools', options);
  return { tools: entries as readonly ToolView[], error };
}
