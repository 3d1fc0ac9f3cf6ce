import type { Fact } from './facts.ts';

export type FactListener = (fact: Fact) => void;

/** Whether facts of a type are worth telling: asked once for each type, so that a call pays for nobody who does not listen. */
export type FactFilter = (type: Fact['type']) => boolean;

/** The typed list's other end: whoever listens hears every fact that he wants, synchronously and in order. */
export class Facts {
  readonly #listeners = new Map<FactListener, FactFilter>();
  /** Who hears a type, as far as it was asked. */
  readonly #hearing = new Map<Fact['type'], readonly FactListener[]>();

  /** @returns a function that stops listening. */
  listen(listener: FactListener, wants: FactFilter = () => true): () => void {
    this.#listeners.set(listener, wants);
    this.#hearing.clear();
    return () => {
      this.#listeners.delete(listener);
      this.#hearing.clear();
    };
  }

  state(fact: Fact): void {
    const { type } = fact;
    for (const listener of this.#hearing.get(type) ?? this.#find(type)) listener(fact);
  }

  #find(type: Fact['type']): readonly FactListener[] {
    const hearing = [...this.#listeners].flatMap(([listener, wants]) => (wants(type) ? [listener] : []));
    this.#hearing.set(type, hearing);
    return hearing;
  }
}
