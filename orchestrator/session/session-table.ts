import { sessionKey } from '../kernel/index.ts';
import type { Session } from './session.ts';

/** Sessions by id; those that an earlier start of the orchestrator had by key, until their clients name them. */
export class SessionTable {
  readonly #byKey = new Map<string, Session>();
  /** Those whose id is known: an id is hashed once. */
  readonly #byId = new Map<string, Session>();

  get size(): number {
    return this.#byKey.size;
  }

  get all(): readonly Session[] {
    return [...this.#byKey.values()];
  }

  /** Without a copy, for whoever only counts. */
  [Symbol.iterator](): Iterator<Session> {
    return this.#byKey.values();
  }

  add(session: Session): void {
    this.#byKey.set(session.key, session);
    if (session.id !== null) this.#byId.set(session.id, session);
  }

  find(id: string): Session | undefined {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const named = this.#byKey.get(sessionKey(id));
    if (named === undefined) return undefined;
    named.id = id;
    this.#byId.set(id, named);
    return named;
  }

  /** @returns whether it was there */
  delete(session: Session): boolean {
    if (session.id !== null) this.#byId.delete(session.id);
    return this.#byKey.delete(session.key);
  }
}
