import { GantryError } from '../../kernel/index.ts';
import type { OutEvent, OutStream } from '../out-stream.ts';
import { type ListenOptions, type ListenRequest, MergedListen } from './merged-listen.ts';

/** One client needs one or two. */
const MAX_PER_PRINCIPAL = 64;

/** All open `subscriptions/listen` on several servers. */
export class MergedListens {
  readonly #options: ListenOptions;
  readonly #open = new Set<MergedListen>();

  constructor(options: ListenOptions) {
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
