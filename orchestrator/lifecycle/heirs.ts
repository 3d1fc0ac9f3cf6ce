import type { ContainerExit } from '../engine/index.ts';
import { type Clock, type Facts, reason } from '../kernel/index.ts';
import { inBackground } from './background.ts';
import type { ReadyTimes, RestartPlan } from './restart-plan.ts';
import type { Running } from './running.ts';
import type { Spare } from './spare.ts';

export type HeirsOptions = {
  /** A spare for this place; null where there is none. */
  readonly inherit: () => Spare | null;
  readonly plan: RestartPlan;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly onExit: (exit: ContainerExit | null) => void;
};

/**
 * Spares that take the place of a dead replica at once, while it is still being found out why that one died and its
 * container is removed. The death counts all the same: where the restart policy wants a wait, no spare is spent.
 */
export class Heirs {
  readonly #options: HeirsOptions;
  readonly #burials = new Set<Promise<void>>();
  #notBefore = 0;

  constructor(options: HeirsOptions) {
    this.#options = options;
  }

  /** Settles when nothing is left of those whose places were taken. */
  get buried(): Promise<unknown> {
    return Promise.all(this.#burials);
  }

  /** @param ready how long the dead one had been. @returns null where the place has to be filled otherwise */
  follow(dead: Running, ready: ReadyTimes): Spare | null {
    const { inherit, clock, facts } = this.#options;
    if (clock.now() < this.#notBefore) return null;
    const heir = inherit();
    if (heir === null) return null;
    const burial = this.#bury(dead, ready).finally(() => this.#burials.delete(burial));
    this.#burials.add(burial);
    inBackground(facts, `container of ${dead.replica.identity.id}`, burial);
    return heir;
  }

  async #bury(dead: Running, ready: ReadyTimes): Promise<void> {
    const { plan, onExit } = this.#options;
    const { reason: why, exit } = await dead.ended;
    onExit(exit);
    const ended = why ?? reason('stopped', 'The container was stopped.');
    const next = plan.next({ reason: ended, retryAfterMs: null, ...ready });
    this.#notBefore = next.at;
    await dead.remove(ended.code);
  }
}
