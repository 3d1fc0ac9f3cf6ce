import { GantryError } from '../../kernel/index.ts';
import type { HeaderOf, ModernRequest } from '../modern/request.ts';
import type { OutEvent, OutStream } from '../out-stream.ts';
import type { EncodeError } from '../session.ts';
import type { Aggregates } from './aggregates.ts';
import type { Audience } from './audience.ts';
import type { InnerCalls } from './inner-calls.ts';
import { MergedListen } from './merged-listen.ts';
import type { Member } from './merged-lists.ts';
import type { ProcessLists } from './process-lists.ts';

/** One client needs one or two. */
const MAX_PER_PRINCIPAL = 64;

export type MergedListensOptions = {
  readonly aggregates: Aggregates;
  readonly inner: InnerCalls;
  readonly lists: ProcessLists;
  readonly encodeError: EncodeError;
};

export type ListenRequest = {
  readonly endpoint: string;
  readonly audience: Audience;
  readonly request: ModernRequest;
  readonly headerOf: HeaderOf;
  /** Aborts when the client leaves. */
  readonly gone: AbortSignal;
  /** What the client is shown now. */
  readonly members: () => readonly Member[];
};

/** All open `subscriptions/listen` on several servers. */
export class MergedListens {
  readonly #options: MergedListensOptions;
  readonly #open = new Set<MergedListen>();

  constructor(options: MergedListensOptions) {
    this.#options = options;
  }

  /** @throws GantryError queue_full */
  open(asked: ListenRequest): OutStream<OutEvent> {
    const { principal } = asked.audience;
    if ([...this.#open].filter((one) => one.principal === principal).length >= MAX_PER_PRINCIPAL) {
      throw new GantryError('queue_full', `Only ${MAX_PER_PRINCIPAL} subscriptions may be open at once.`, {
        detail: { retryAfterMs: 1000 },
      });
    }
    const listen = new MergedListen(asked, this.#options);
    this.#open.add(listen);
    void listen.over.then(() => this.#open.delete(listen));
    return listen.stream;
  }

  /** A call has begun a process of a server: from now on there may be something to hear of it. */
  used(server: string, principal: string): void {
    for (const listen of this.#open) if (listen.principal === principal) listen.attach(server);
  }

  close(): void {
    for (const listen of [...this.#open]) listen.end();
  }
}
