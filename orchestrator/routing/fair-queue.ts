/** Whose a call is. Fairness is between principals first, then between the sessions of one. */
export type Owner = { readonly principal: string; readonly session: string | null };

/** Of a principal's call; without a session where it came in none. */
export function ownerOf(principal: string, { session = null }: { readonly session?: string | null }): Owner {
  return { principal, session };
}

type Sessions<T> = Map<string | null, Set<T>>;

/**
 * A queue in which principals take turns, and within one the sessions: whoever has a thousand calls waiting holds up
 * himself. All of it is in constant time, but for `rival`, which looks at every owner.
 */
export class FairQueue<T extends { readonly owner: Owner }> {
  /** In the order of their turns: who was served goes to the end. */
  readonly #principals = new Map<string, { size: number; readonly sessions: Sessions<T> }>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    const { principal, session } = item.owner;
    const lane = this.#principals.get(principal) ?? { size: 0, sessions: new Map() };
    this.#principals.set(principal, lane);
    const items = lane.sessions.get(session) ?? new Set();
    lane.sessions.set(session, items.add(item));
    lane.size++;
    this.#size++;
  }

  /** Whose turn it is, without taking it; undefined when nobody waits. */
  peek(): T | undefined {
    const [lane] = this.#principals.values();
    const [items] = lane?.sessions.values() ?? [];
    return items?.values().next().value;
  }

  /** Takes the one whose turn it is: its principal and session go to the end. */
  shift(): T | undefined {
    const item = this.peek();
    if (item === undefined) return undefined;
    const { principal, session } = item.owner;
    const lane = this.#principals.get(principal);
    const items = lane?.sessions.get(session);
    this.delete(item);
    if (items !== undefined && items.size > 0) toEnd(lane?.sessions, session, items);
    if (lane !== undefined && lane.size > 0) toEnd(this.#principals, principal, lane);
    return item;
  }

  /** @returns false when it was not waiting. */
  delete(item: T): boolean {
    const { principal, session } = item.owner;
    const lane = this.#principals.get(principal);
    const items = lane?.sessions.get(session);
    if (lane === undefined || items?.delete(item) !== true) return false;
    if (items.size === 0) lane.sessions.delete(session);
    if (--lane.size === 0) this.#principals.delete(principal);
    this.#size--;
    return true;
  }

  /**
   * Who has to give way for a newcomer when there is no more room: the last call of the session with the most calls, of
   * the principal with the most (McKenney, stochastic fairness queueing: drop from the longest queue). Null when the
   * newcomer's owner has as many himself.
   */
  rival({ principal, session }: Owner): T | null {
    const own = this.#principals.get(principal);
    const lane = longest(this.#principals.values());
    if (lane !== null && lane.size > (own?.size ?? 0) + 1) return lastOf(longest(lane.sessions.values()));
    const items = longest(own?.sessions.values() ?? []);
    const ownSize = own?.sessions.get(session)?.size ?? 0;
    return items !== null && items.size > ownSize + 1 ? lastOf(items) : null;
  }
}

function longest<L extends { readonly size: number }>(lanes: Iterable<L>): L | null {
  let best: L | null = null;
  for (const lane of lanes) if (lane.size > (best?.size ?? 0)) best = lane;
  return best;
}

function lastOf<T>(items: Set<T> | null): T | null {
  return [...(items ?? [])].at(-1) ?? null;
}

/** A map is in the order of insertion. */
function toEnd<K, V>(map: Map<K, V> | undefined, key: K, value: V): void {
  map?.delete(key);
  map?.set(key, value);
}
