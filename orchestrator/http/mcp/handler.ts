import type { Exchange, RequestState } from '../request-state.ts';

/** A request to the MCP endpoint of a server, past the guards. */
export type McpRequest = Exchange & {
  readonly server: string;
  readonly principal: string;
  /** So that an error thrown later can carry the id of the message. */
  readonly state: RequestState;
};

/** Answers it, or throws, at once or later, what the answer shall say. */
export type McpHandler = (request: McpRequest) => Promise<void>;

/** The same for addresses that do not name the server. */
export function handlerOf(mcp: McpHandler, server: string): McpHandler {
  return (request) => mcp({ ...request, server });
}

/** A header; null where it is absent or empty. @param name in lower case */
export function headerOf({ req }: Exchange, name: string): string | null {
  const value = req.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
