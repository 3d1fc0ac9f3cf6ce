import type { Clock, Facts, Reason, RolloutState, RolloutView, ToolDifference } from '../kernel/index.ts';

export type RolloutOutcome = 'done' | 'rolled_back' | 'superseded';

/** How far a rollout has come, for whoever asks; states what happens as facts. */
export class RolloutRecord {
  readonly #server: string;
  readonly #mode: RolloutView['mode'];
  readonly #clock: Clock;
  readonly #facts: Facts;
  readonly #startedAt: number;
  #state: RolloutState = 'starting';
  #endedAt: number | null = null;
  #reason: Reason | null = null;
  #tools: ToolDifference | null = null;

  constructor(server: string, mode: RolloutView['mode'], clock: Clock, facts: Facts) {
    this.#server = server;
    this.#mode = mode;
    this.#clock = clock;
    this.#facts = facts;
    this.#startedAt = clock.now();
    facts.state({ type: 'rollout.started', server, mode });
  }

  get state(): RolloutState {
    return this.#state;
  }

  get view(): RolloutView {
    return {
      state: this.#state,
      mode: this.#mode,
      startedAt: new Date(this.#startedAt).toISOString(),
      endedAt: this.#endedAt === null ? null : new Date(this.#endedAt).toISOString(),
      reason: this.#reason,
      tools: this.#tools,
    };
  }

  /** @param tools null where the new ones are not known */
  shifted(tools: ToolDifference | null): void {
    this.#state = 'watching';
    this.#tools = tools;
    this.#facts.state({ type: 'rollout.shifted', server: this.#server, tools });
  }

  ended(outcome: RolloutOutcome, reason: Reason | null): void {
    this.#state = outcome === 'done' ? 'draining' : outcome;
    this.#reason = reason;
    this.#endedAt = this.#clock.now();
    this.#facts.state({ type: 'rollout.ended', server: this.#server, outcome, reason });
  }

  /** What was left of the old replicas is gone. */
  drained(): void {
    if (this.#state === 'draining') this.#state = 'done';
  }
}
