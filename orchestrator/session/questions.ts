import type { JsonRpcId } from '../kernel/index.ts';
import type { ServerMessage } from '../routing/index.ts';
import type { Backend } from './backend.ts';
import type { OpenWork } from './open-work.ts';

/** Requests of the server that the client may leave unanswered. */
const MAX_ASKED = 1000;
const NOBODY_LISTENS = { code: -32000, message: 'The client does not listen.' };

/** What the server has asked the client and has no answer to yet, so that an answer is let through once. */
export class Questions {
  readonly #backend: Backend;
  readonly #onDropped: (why: string) => void;
  readonly #asked: Set<JsonRpcId>;
  readonly #work: OpenWork;

  /** @param asked before an earlier start of the orchestrator ended */
  constructor(
    options: { backend: Backend; onDropped: (why: string) => void },
    work: OpenWork,
    asked: readonly JsonRpcId[],
  ) {
    this.#work = work;
    this.#asked = new Set(asked);
    this.#backend = options.backend;
    this.#onDropped = options.onDropped;
  }

  /** @returns false when the client leaves too many unanswered: then it must not be sent. */
  remember(message: ServerMessage): boolean {
    if (message.kind !== 'request') return true;
    if (this.#asked.size >= MAX_ASKED) return false;
    this.#asked.add(message.id);
    this.#work.question(message.id);
    return true;
  }

  /** An answer has come. @returns whether anybody asked for it */
  answered(id: JsonRpcId): boolean {
    if (!this.#asked.delete(id)) return false;
    this.#work.questionOver(id);
    return true;
  }

  /** Nobody can be given it. A server that asked is told so, or it would wait for ever. */
  drop(message: ServerMessage): void {
    this.#onDropped('nobody_listens');
    if (message.kind !== 'request') return;
    this.answered(message.id);
    this.#backend.respond(message.id, { error: NOBODY_LISTENS }).catch(() => {
      // The process is gone as well: nobody waits any more.
    });
  }
}
