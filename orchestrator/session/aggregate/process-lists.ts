import { isObject, type Offers, sorted } from '../../kernel/index.ts';
import { listOffers } from '../../routing/index.ts';
import { toldOf } from '../modern/both-eras.ts';
import type { HeaderOf, ModernRequest } from '../modern/request.ts';
import type { Aggregates } from './aggregates.ts';
import type { Audience } from './audience.ts';
import type { InnerCalls } from './inner-calls.ts';

const ASK_TIMEOUT_MS = 10_000;
/** Beyond so many the oldest are forgotten, and what is known of their servers in general is shown again. */
const MAX_KEPT = 1000;

/** In whose name a list is asked for: a request of the client's that describes it. */
export type Asker = {
  readonly request: Pick<ModernRequest, 'meta'>;
  readonly headerOf: HeaderOf;
};

/** What the processes that serve a client without a session have listed, where that has changed under it. */
export class ProcessLists {
  readonly #aggregates: Aggregates;
  readonly #inner: InnerCalls;
  readonly #changed = new Map<string, { readonly offers: Offers; readonly since: Offers | null }>();
  readonly #reading = new Map<string, Promise<Offers>>();

  constructor(aggregates: Aggregates, inner: InnerCalls) {
    this.#aggregates = aggregates;
    this.#inner = inner;
  }

  /** Null where nothing has changed, or the server as a whole has since then. */
  of(server: string, audience: Audience): Offers | null {
    const changed = this.#changed.get(keyOf(server, audience));
    return changed?.since === this.#aggregates.common(server) ? (changed?.offers ?? null) : null;
  }

  /** A call has begun a process for this audience: what it lists is learned, where nobody knows yet. Never rejects. */
  async used(server: string, audience: Audience, asker: Asker): Promise<void> {
    try {
      if (!this.#aggregates.isUnknown(server, audience)) return;
      this.#aggregates.learn(server, audience, await this.#read(server, audience, asker));
    } catch {
      // The server was removed, or does not describe itself: it stays as it is known.
    }
  }

  /** The process says that a list has changed. Never rejects. */
  async changed(server: string, audience: Audience, asker: Asker): Promise<void> {
    try {
      const key = keyOf(server, audience);
      const offers = await this.#read(server, audience, asker);
      this.#changed.delete(key);
      this.#changed.set(key, { offers, since: this.#aggregates.common(server) });
      for (const oldest of this.#changed.keys()) {
        if (this.#changed.size <= MAX_KEPT) break;
        this.#changed.delete(oldest);
      }
    } catch {
      // It is shown as it was known before.
    }
  }

  /** Once at a time for each process. */
  #read(server: string, audience: Audience, asker: Asker): Promise<Offers> {
    const key = keyOf(server, audience);
    const reading =
      this.#reading.get(key) ??
      this.#readAll(server, audience, asker).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #readAll(server: string, audience: Audience, { request, headerOf }: Asker): Promise<Offers> {
    const _meta = request.meta;
    const ask = (method: string, params: Record<string, unknown> = {}) =>
      this.#inner.ask(
        server,
        audience.principal,
        { method, params: { ...params, _meta } },
        headerOf,
        AbortSignal.timeout(ASK_TIMEOUT_MS),
      );
    const discovered = await ask('server/discover');
    if (!discovered.ok) throw new Error(discovered.error.message);
    const { capabilities, instructions } = isObject(discovered.result) ? discovered.result : {};
    const said = {
      capabilities: isObject(capabilities) ? capabilities : {},
      instructions: typeof instructions === 'string' ? instructions : null,
    };
    const limits = { callTimeoutMs: ASK_TIMEOUT_MS, maxCallMs: ASK_TIMEOUT_MS };
    return await listOffers({ call: ask }, said, limits, this.#aggregates.known(server, audience));
  }
}

/** The processes of a client are those of its principal that were told what it can do. */
function keyOf(server: string, { principal, capabilities }: Audience): string {
  return JSON.stringify([server, principal, sorted(toldOf(capabilities))]);
}
