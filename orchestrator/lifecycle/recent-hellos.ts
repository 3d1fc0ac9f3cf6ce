import { GREETING, helloKey } from '../replica/index.ts';
import { HELLOS_KEPT } from '../resilience/index.ts';

/** What standing replicas and calls without a session are greeted with. */
export const OWN_HELLO: Readonly<Record<string, unknown>> = GREETING;

type Params = Readonly<Record<string, unknown>>;

/** What the latest clients of a server said in their handshakes. */
export class RecentHellos {
  #latest: { readonly key: string; readonly params: Params }[] = [];
  readonly #refused = new Set<string>();

  /** As keys, the oldest first; without those that the server refuses. */
  get keys(): readonly string[] {
    return this.#latest.map(({ key }) => key).filter((key) => !this.#refused.has(key));
  }

  note(params: Params): void {
    const key = helloKey(params);
    if (key === null) return;
    const { _meta, ...settled } = params; // belongs to that one request
    this.#latest = [...this.#latest, { key, params: settled }].slice(-HELLOS_KEPT);
  }

  /** Null where nobody has said it lately. */
  paramsOf(key: string): Record<string, unknown> | null {
    const found = this.#latest.find((hello) => hello.key === key);
    return found === undefined ? null : { ...found.params };
  }

  /** The server answers it with an error. */
  refuse(key: string): void {
    if (this.#refused.size < HELLOS_KEPT) this.#refused.add(key);
  }
}
