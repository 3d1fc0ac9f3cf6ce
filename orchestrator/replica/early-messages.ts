import type { ServerMessage } from '../channel/index.ts';
import { type JsonRpcId, NOBODY_TO_ASK } from '../kernel/index.ts';

/** A process that says more than this before anybody holds it is not talking to anybody. */
const MAX_KEPT = 100;

/** Answers a request of the process. */
export type Reply = (id: JsonRpcId, answer: { result: unknown } | { error: unknown }) => void;

/**
 * What the process of a spare says before anybody holds it, log lines and change notices above all: kept in order for
 * the one who will.
 */
export class EarlyMessages {
  readonly #kept: ServerMessage[] = [];
  readonly #respond: Reply;
  readonly #onDropped: (why: string) => void;

  constructor(options: { respond: Reply; onDropped: (why: string) => void }) {
    this.#respond = options.respond;
    this.#onDropped = options.onDropped;
  }

  take(message: ServerMessage): void {
    if (message.kind === 'request' && message.method === 'ping') this.#respond(message.id, { result: {} });
    else if (this.#kept.length < MAX_KEPT) this.#kept.push(message);
    else this.#drop(message);
  }

  /** @param listener null where nobody will listen: requests are answered so, the rest is dropped and counted. */
  handTo(listener: ((message: ServerMessage) => void) | null): void {
    for (const message of this.#kept.splice(0)) {
      if (listener === null) this.#drop(message);
      else listener(message);
    }
  }

  #drop(message: ServerMessage): void {
    this.#onDropped(message.kind === 'request' ? 'unattributed_request' : 'unattributed_notification');
    if (message.kind === 'request') this.#respond(message.id, { error: NOBODY_TO_ASK });
  }
}
