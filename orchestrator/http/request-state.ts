import type { Context } from 'koa';
import type { JsonRpcId } from '../kernel/index.ts';
import type { Caller } from './control.ts';

/** What the middlewares of one request tell each other. */
export type RequestState = {
  /** The pattern of the route that answered, such as `/api/v1/servers/{name}`; never the path itself. */
  route?: string;
  caller?: Caller;
  /** Set by the MCP route as soon as it knows the id, so that an error thrown later can carry it. */
  rpcId?: JsonRpcId | null;
};

export function stateOf(ctx: Context): RequestState {
  return ctx.state as RequestState;
}

/** Errors on these paths are JSON-RPC. `/mcp` alone is the path on a server's own port. */
export function isMcpPath(path: string): boolean {
  return /^\/(?:mcp|sse|messages)(?:\/|$)/.test(path);
}

/** Aborts when the client goes away before it was answered in full. */
export function clientGone(ctx: Context): AbortSignal {
  const gone = new AbortController();
  const onClose = () => {
    if (!ctx.res.writableFinished) gone.abort();
  };
  if (ctx.res.closed) onClose();
  else ctx.res.once('close', onClose);
  return gone.signal;
}
