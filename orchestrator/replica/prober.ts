import { type Clock, GantryError, type JsonRpcOutcome } from '../kernel/index.ts';
import { isUnreachable } from './replica-errors.ts';

/** `over`: the channel ended, which others look into. */
export type ProbeAnswer = 'answered' | 'silent' | 'over';

type Question = { readonly method: string; readonly params?: Record<string, unknown> };

export type ProberOptions = {
  readonly ask: (
    method: string,
    params: Record<string, unknown> | undefined,
    timeoutMs: number,
  ) => Promise<JsonRpcOutcome>;
  readonly clock: Pick<Clock, 'now'>;
  readonly tell: (answered: boolean, durationMs: number) => void;
};

/**
 * Asks a process whether it lives, by a real exchange of MCP: `ping`, which every server up to 2025-11-25 has to
 * answer, `server/discover` where the revision has no ping. Some servers leave unknown requests without any answer,
 * ping among them, so until one was answered `tools/list` is asked beside it. An error is an answer.
 */
export class Prober {
  readonly #options: ProberOptions;
  /** Null while it is not known. */
  #answersPing: boolean | null = null;
  #listed = false;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /**
   * @param discovery what the process was asked instead of a handshake, or null
   * @param hasTools whether it said that it lists tools
   */
  async probe(
    timeoutMs: number,
    discovery: Record<string, unknown> | null,
    hasTools: boolean,
  ): Promise<ProbeAnswer> {
    const { clock, tell } = this.#options;
    const startedAt = clock.now();
    const asked = this.#questions(discovery, hasTools).map((question) => this.#ask(question, timeoutMs));
    const answer = await firstAnswer(asked);
    if (answer !== 'over') tell(answer === 'answered', clock.now() - startedAt);
    return answer;
  }

  #questions(discovery: Record<string, unknown> | null, hasTools: boolean): readonly Question[] {
    if (discovery !== null) return [{ method: 'server/discover', params: discovery }];
    const ping = { method: 'ping' };
    if (!hasTools || this.#answersPing === true) return [ping];
    const list = { method: 'tools/list' };
    return this.#answersPing === null ? [ping, list] : [list];
  }

  async #ask({ method, params }: Question, timeoutMs: number): Promise<ProbeAnswer> {
    try {
      await this.#options.ask(method, params, timeoutMs);
      if (method === 'ping') this.#answersPing = true;
      if (method === 'tools/list') this.#listed = true;
      return 'answered';
    } catch (error) {
      if (isUnreachable(error)) return 'silent';
      if (!(error instanceof GantryError && error.code === 'call_timeout')) return 'over';
      // Alive, as the list shows, and yet no answer: it has no ping.
      if (method === 'ping' && this.#listed) this.#answersPing = false;
      return 'silent';
    }
  }
}

/** The first that was answered settles it; else the last says how it is. */
function firstAnswer(asked: readonly Promise<ProbeAnswer>[]): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    let left = asked.length;
    for (const one of asked) {
      void one.then((answer) => {
        left--;
        if (answer === 'answered' || left === 0) resolve(answer);
      });
    }
  });
}
