/** Which replica is in which state: facts say only what changed, a gauge wants the whole. */
export class ReplicaCensus {
  readonly #states = new Map<string, { readonly server: string; readonly state: string }>();

  /** A replica that stopped or failed is no more; its successor reports under a life of its own. */
  note(server: string, replica: string, state: string): void {
    const key = `${server}/${replica}`;
    if (state === 'stopped' || state === 'failed') this.#states.delete(key);
    else this.#states.set(key, { server, state });
  }

  counts(): readonly { readonly server: string; readonly state: string; readonly count: number }[] {
    const groups = Map.groupBy(this.#states.values(), ({ server, state }) => `${server} ${state}`);
    return [...groups.values()].flatMap((group) => (group[0] ? [{ ...group[0], count: group.length }] : []));
  }
}
