import { type Clock, GantryError, type JsonRpcOutcome } from '../kernel/index.ts';
import type { Router } from '../routing/index.ts';
import { onlyOffered, refusedTool } from './tool-gate.ts';
import { isUnknownTool, toolNotFound } from './tools.ts';

export type MeshCall = {
  readonly server: string;
  readonly principal: string;
  readonly method: string;
  readonly params: Record<string, unknown> | undefined;
  /** Waiting for a replica and second tries included. */
  readonly timeoutMs: number;
  /** How often it may be tried in all, where it may be tried again. */
  readonly attempts: number;
  readonly signal: AbortSignal;
};

export type MeshCallAnswer = {
  readonly outcome: JsonRpcOutcome;
  /** The replica that answered; null where nobody had to be asked. */
  readonly replica: string | null;
};

/** Requests outside of sessions, with a time limit and a number of tries of their own (`POST /api/v1/mesh/v2/call`). */
export class MeshCalls {
  readonly #router: Router;
  readonly #clock: Clock;

  constructor(router: Router, clock: Clock) {
    this.#router = router;
    this.#clock = clock;
  }

  /** A JSON-RPC error of the server is an answer. @throws as `Router.call`, tool_not_found; call_timeout after `timeoutMs` */
  async call(call: MeshCall): Promise<MeshCallAnswer> {
    const { server, principal, method, params, attempts, timeoutMs } = call;
    const spec = this.#router.spec(server);
    const tool = String(params?.name);
    if (refusedTool(spec, method, params) !== null) throw toolNotFound(server, tool);
    const late = new AbortController();
    const cancelTimer = this.#clock.after(timeoutMs, () => late.abort());
    const signal = AbortSignal.any([call.signal, late.signal]);
    let replica: string | null = null;
    try {
      const outcome = await this.#router.call(
        server,
        principal,
        { method, params },
        {
          signal,
          attempts,
          onReplica: ({ identity }) => {
            replica = identity.id;
          },
        },
      );
      const called = { server, tool, principal };
      if (method === 'tools/call' && (await isUnknownTool(this.#router, called, outcome, signal))) {
        throw toolNotFound(server, tool);
      }
      return { outcome: onlyOffered(spec.tools, method, outcome), replica };
    } catch (error) {
      const isCancelled = error instanceof GantryError && error.code === 'cancelled';
      if (!isCancelled || !late.signal.aborted || call.signal.aborted) throw error;
      throw new GantryError(
        'call_timeout',
        `Server ${server} did not answer ${method} within ${timeoutMs} ms.`,
        {
          detail: { server, replica, limit: `timeout ${timeoutMs}`, mayHaveRun: replica !== null },
        },
      );
    } finally {
      cancelTimer();
    }
  }
}
