import { type Facts, type Reason, reason, type ServerSpec } from '../kernel/index.ts';
import { helloKey } from '../replica/index.ts';
import { planGreetings } from '../resilience/index.ts';
import { inBackground } from './background.ts';
import { RecentHellos } from './recent-hellos.ts';
import type { Running } from './running.ts';

type Hello = Readonly<Record<string, unknown>>;

export type SpareGreetingsOptions = {
  readonly spec: () => ServerSpec;
  readonly facts: Facts;
  /** The server answered the handshake with an error: this process is of no use to anybody. */
  readonly onRefused: (running: Running) => Promise<void>;
  readonly onSilent: (running: Running, why: Reason) => Promise<void>;
};

/** Which spare fits whom: some are greeted in advance with what the latest clients said, the others wait for anybody. */
export class SpareGreetings {
  readonly #options: SpareGreetingsOptions;
  readonly #hellos = new RecentHellos();
  /** Being greeted right now: nobody can use them until that is over. */
  readonly #underWay = new Map<Running, string>();

  constructor(options: SpareGreetingsOptions) {
    this.#options = options;
  }

  note(hello: Hello): void {
    this.#hellos.note(hello);
  }

  /** One that was greeted with just this, else one that was not greeted. */
  fitting(spares: readonly Running[], hello: Hello | null): Running | null {
    const key = hello === null ? null : helloKey(hello);
    const usable = spares.filter((running) => this.#isUsable(running));
    const greeted = usable.find(({ replica }) => key !== null && replica.greetedFor === key);
    return greeted ?? usable.find(({ replica }) => replica.greetedFor === null) ?? null;
  }

  /** One that was greeted for clients who do not come any more, or seldom; null where there is none. */
  uselessOf(spares: readonly Running[]): Running | null {
    const plan = this.#plan();
    const useless = spares.find(({ replica }) => {
      const key = replica.greetedFor;
      return key !== null && this.#countFor(spares, key) > (plan.get(key) ?? 0);
    });
    return useless ?? null;
  }

  /** Greets as many as the plan wants; in the background. */
  greetSome(spares: readonly Running[]): void {
    const { facts, spec } = this.#options;
    for (const [key, count] of this.#plan()) {
      for (let missing = count - this.#countFor(spares, key); missing > 0; missing--) {
        const open = spares.find((running) => this.#isUsable(running) && running.replica.greetedFor === null);
        if (open === undefined) return;
        inBackground(facts, `spare of ${spec().name}`, this.#greet(open, key));
      }
    }
  }

  #plan(): ReadonlyMap<string, number> {
    return planGreetings(this.#hellos.keys, this.#options.spec().scaling.warm);
  }

  #isUsable(running: Running): boolean {
    const { isOpen, state } = running.replica;
    return isOpen && (state.name === 'starting' || state.name === 'ready') && !this.#underWay.has(running);
  }

  #countFor(spares: readonly Running[], key: string): number {
    return spares.filter((one) => one.replica.greetedFor === key || this.#underWay.get(one) === key).length;
  }

  async #greet(running: Running, key: string): Promise<void> {
    const params = this.#hellos.paramsOf(key);
    if (params === null) return;
    const { onRefused, onSilent, spec } = this.#options;
    this.#underWay.set(running, key);
    try {
      const outcome = await running.replica.greetAhead(params, spec().timeouts.readyMs);
      if (outcome.ok) return;
      // Whoever says it shall hear the answer themselves, and no spare is spent on it again.
      this.#hellos.refuse(key);
      await onRefused(running);
    } catch {
      // Over, which is heard where it is watched; or silent, and its place is for another.
      if (running.replica.isOpen) await onSilent(running, SILENT);
    } finally {
      this.#underWay.delete(running);
    }
  }
}

const SILENT = reason('never_ready', 'A spare did not complete the handshake within readyMs.');
