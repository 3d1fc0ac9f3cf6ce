import { type CallOptions, type Channel, type Link, lastingOf } from '../channel/index.ts';
import type { JsonRpcOutcome } from '../kernel/index.ts';
import type { Greeting } from './greeting.ts';
import type { Handshake } from './handshake.ts';
import type { ResumedCall } from './replica-identity.ts';
import type { ReplicaLife } from './replica-life.ts';

type Parts = {
  readonly channel: Channel;
  readonly link: Link;
  readonly greeting: Greeting;
  readonly life: ReplicaLife;
  /** The same call, its end stated. */
  readonly counted: (method: string, call: Promise<JsonRpcOutcome>) => Promise<JsonRpcOutcome>;
};

/** A process that one owner leaves and the next one finds again; one that ends with its channel is just there. */
export class LastingProcess {
  readonly #parts: Parts;
  readonly #channel: ReturnType<typeof lastingOf>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#channel = lastingOf(parts.channel);
  }

  /** Settles when it has found its way here; rejects where the channel ends before. */
  get connected(): Promise<unknown> {
    return this.#channel?.connected ?? Promise.resolve();
  }

  /** Whether it serves, as soon as that is settled: false where it ends before. */
  get served(): Promise<boolean> {
    return this.#parts.life.settled;
  }

  /** An earlier owner greeted it, and was told this: it serves. */
  takenOver(handshake: Handshake): void {
    this.#parts.greeting.takenOver(handshake);
  }

  /** The answer of a call that an earlier owner sent. Throws as `Link.resume`. */
  resume({ sent, method, token }: ResumedCall, options: CallOptions): Promise<JsonRpcOutcome> {
    const { counted, link } = this.#parts;
    return counted(method, link.resume(sent, method, token, options));
  }

  /** It is the next owner's, calls that are still open with it. */
  leave(): void {
    this.#channel?.detach();
  }
}
