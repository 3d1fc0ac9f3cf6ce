import type { RequestListener } from 'node:http';
import type { Facts } from '../../kernel/index.ts';
import { answerFailure } from '../answer-errors.ts';
import { authorize } from '../guards/auth.ts';
import type { Admit } from '../guards/index.ts';
import { stateWhenEnded } from '../request-facts.ts';
import type { Exchange, RequestState } from '../request-state.ts';
import type { McpHandler } from './handler.ts';

export type EntranceOptions = {
  readonly mcp: McpHandler;
  readonly admit: Admit;
  readonly facts: Facts;
  /** As the route is described: `/mcp/{server}`, a set's too, or `/mcp` where the handler knows the server. */
  readonly path: string;
  /** Gets every request that is not one of these. */
  readonly otherwise: RequestListener;
};

const METHODS: ReadonlySet<string> = new Set(['POST', 'GET', 'DELETE']);

/**
 * The way of MCP requests past Koa and its router, which cost as much as all the rest of a call (docs/performance.md).
 * The guards, the facts, the handler and the answers to errors are the very same. Only the plain address is let in
 * here: one with a query, an escape or another method goes the way of all others, where the endpoint is a route too.
 */
export function mcpEntrance(options: EntranceOptions): RequestListener {
  const address = new RegExp(`^${options.path.replace('{server}', '(@?[\\w.-]+)')}$`);
  return (req, res) => {
    const found = METHODS.has(req.method ?? '') ? address.exec(req.url ?? '') : null;
    if (found === null) return options.otherwise(req, res);
    void answer(options, { req, res }, found[0], found[1] ?? '');
  };
}

async function answer(
  { mcp, admit, facts, path: route }: EntranceOptions,
  exchange: Exchange,
  path: string,
  server: string,
): Promise<void> {
  const { req, res } = exchange;
  const state: RequestState = { route };
  stateWhenEnded(facts, exchange, state);
  try {
    const caller = admit(req, path);
    authorize(req, caller, 'call');
    await mcp({ req, res, server, principal: caller.principal, state });
  } catch (error) {
    await answerFailure(facts, exchange, state, error);
  }
}
