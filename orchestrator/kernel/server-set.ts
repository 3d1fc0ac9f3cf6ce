import type { ToolFilter } from './tool-filter.ts';

/** Servers that are offered together at one address, `/mcp/@{name}`. */
export type ServerSet = {
  readonly name: string;
  /** Names of servers. One that does not exist may yet be made over the API. */
  readonly servers: readonly string[];
  /** By the names that tools have there: `server__tool`. */
  readonly tools: ToolFilter;
};
