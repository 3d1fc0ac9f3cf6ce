import type { Clock } from '../../kernel/index.ts';
import { type CallOptions, type ListSource, listTools } from '../../routing/index.ts';

/** A list is believed for so long: tools change rarely, and a change notice forgets it at once. */
const BELIEVED_MS = 30_000;

type Known = { readonly tools: ReadonlyMap<string, unknown>; readonly until: number };

/** The tools that ask for arguments in headers, as their server describes them. */
export class ToolSchemas {
  readonly #clock: Clock;
  /** By server, then by what the list depends on besides. */
  readonly #known = new Map<string, Map<string, Known>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param key what a list depends on besides the server, @param params of tools/list
   * @returns the tool, or undefined where it asks for nothing in headers or does not exist
   */
  async tool(
    name: string,
    server: string,
    key: string,
    ask: { replica: ListSource; params: Record<string, unknown>; options: CallOptions },
  ): Promise<unknown> {
    const known = this.#known.get(server)?.get(key);
    if (known !== undefined && known.until > this.#clock.now()) return known.tools.get(name);
    const tools = await list(ask.replica, ask.params, ask.options);
    const lists = this.#known.get(server) ?? new Map<string, Known>();
    for (const [other, { until }] of lists) if (until <= this.#clock.now()) lists.delete(other);
    lists.set(key, { tools, until: this.#clock.now() + BELIEVED_MS });
    this.#known.set(server, lists);
    return tools.get(name);
  }

  forget(server: string): void {
    this.#known.delete(server);
  }
}

async function list(
  replica: ListSource,
  params: Record<string, unknown>,
  options: CallOptions,
): Promise<ReadonlyMap<string, unknown>> {
  // Where a page is refused the tools before it count: without any, nothing asks for headers.
  const { tools } = await listTools(
    { call: (method, page) => replica.call(method, { ...params, ...page }, options) },
    options,
  );
  const found = tools.filter((tool) => JSON.stringify(tool.inputSchema)?.includes('"x-mcp-header"') === true);
  return new Map(found.map((tool) => [tool.name, tool]));
}
