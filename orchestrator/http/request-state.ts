import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'koa';
import type { JsonRpcId } from '../kernel/index.ts';
import type { Caller } from './control.ts';

/** What those who handle one request tell each other. */
export type RequestState = {
  /** The pattern of the route that answered, such as `/api/v1/servers/{name}`; never the path itself. */
  route?: string;
  caller?: Caller;
  /** Set by the MCP route as soon as it knows the id, so that an error thrown later can carry it. */
  rpcId?: JsonRpcId | null;
};

/** A request and its answer, as Node has them. */
export type Exchange = { readonly req: IncomingMessage; readonly res: ServerResponse };

export function stateOf(ctx: Context): RequestState {
  return ctx.state as RequestState;
}

export const JSON_TYPE = 'application/json; charset=utf-8';

/** The path of an address without its query, undecoded. */
export function pathOf({ url = '' }: IncomingMessage): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** Errors on these paths are JSON-RPC. `/mcp` alone is all servers, or the one server on a port of its own. */
export function isMcpPath(path: string): boolean {
  return /^\/(?:mcp|sse|messages)(?:\/|$)/.test(path);
}

/** Aborts when the client goes away before it was answered in full. */
export function clientGone({ res }: Exchange): AbortSignal {
  const gone = new AbortController();
  const onClose = () => {
    if (!res.writableFinished) gone.abort();
  };
  if (res.closed) onClose();
  else res.once('close', onClose);
  return gone.signal;
}
