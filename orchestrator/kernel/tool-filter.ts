/** Which tools are offered: names, in which `*` stands for any text. */
export type ToolFilter = {
  /** Null: all. */
  readonly allow: readonly string[] | null;
  /** Not even where it is allowed. */
  readonly deny: readonly string[];
};

export const ALL_TOOLS: ToolFilter = { allow: null, deny: [] };

/** Whether a tool may be listed and called. */
export function allowsTool({ allow, deny }: ToolFilter, name: string): boolean {
  if (deny.some((pattern) => fits(pattern, name))) return false;
  return allow === null || allow.some((pattern) => fits(pattern, name));
}

/** Those that may be listed; the same array where that is all. */
export function allowedTools<T extends { readonly name?: unknown }>(
  filter: ToolFilter,
  tools: readonly T[],
): readonly T[] {
  if (filter.allow === null && filter.deny.length === 0) return tools;
  return tools.filter(({ name }) => typeof name === 'string' && allowsTool(filter, name));
}

/** Piece after piece from the left: linear, whatever the pattern. */
function fits(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
