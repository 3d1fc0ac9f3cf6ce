import type { BreakerState, Fact } from '../kernel/index.ts';

type BreakerFact = Extract<Fact, { type: 'breaker.state' }>;
type Kept = { readonly server: string; readonly guards: BreakerFact['guards']; readonly state: BreakerState };

/** Which breakers are in which state, those of sessions once they have opened. */
export class BreakerCensus {
  readonly #kept = new Map<string, Kept>();

  note({ server, replica, guards, state }: BreakerFact): void {
    const key = `${server}/${guards}/${replica ?? ''}`;
    if (state === 'gone') this.#kept.delete(key);
    else this.#kept.set(key, { server, guards, state });
  }

  counts(): readonly (Kept & { readonly count: number })[] {
    const groups = Map.groupBy(
      this.#kept.values(),
      ({ server, guards, state }) => `${server} ${guards} ${state}`,
    );
    return [...groups.values()].flatMap((group) => (group[0] ? [{ ...group[0], count: group.length }] : []));
  }
}
