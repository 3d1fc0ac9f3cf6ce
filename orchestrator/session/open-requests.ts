import { GantryError, type JsonRpcId, TurnoverMap, Withdrawal } from '../kernel/index.ts';
import type { SentCall } from '../routing/index.ts';
import type { OpenCallNote, OpenWork } from './open-work.ts';

type Asked = Pick<OpenCallNote, 'id' | 'method' | 'token' | 'startedAt'>;

/** One request of a client, from its arrival until its answer has been said. */
export class OpenRequest {
  readonly id: JsonRpcId;
  readonly withdrawal = new Withdrawal();
  readonly #asked: Asked;
  readonly #work: OpenWork;
  #stream: string | null;
  #sent: SentCall | null;
  #isDone = false;

  /** @param known what is written down of it already */
  constructor(asked: Asked, work: OpenWork, known?: Pick<OpenCallNote, 'stream' | 'sent'>) {
    this.id = asked.id;
    this.#asked = asked;
    this.#work = work;
    this.#stream = known?.stream ?? null;
    this.#sent = known?.sent ?? null;
  }

  /** It is on its way to a process that outlives this one. */
  readonly onSent = (sent: SentCall): void => {
    this.#sent = sent;
    this.#note();
  };

  /** Its answer is to be said on that stream. */
  goesTo(stream: string): void {
    this.#stream = stream;
    this.#note();
  }

  /** Its answer has been said, or there is to be none. */
  done(): void {
    this.#isDone = true;
    if (this.#stream !== null) this.#work.answered({ stream: this.#stream, id: this.id });
  }

  #note(): void {
    if (this.#stream === null || this.#isDone) return;
    const { id, method, token, startedAt } = this.#asked;
    this.#work.call({ id, method, token, startedAt, stream: this.#stream, sent: this.#sent });
  }
}

/** The requests of one session that have no answer yet, by the client's ids. */
export class OpenRequests {
  readonly #open = new TurnoverMap<JsonRpcId, OpenRequest>();
  readonly #work: OpenWork;

  constructor(work: OpenWork) {
    this.#work = work;
  }

  get count(): number {
    return this.#open.size;
  }

  /** @throws GantryError invalid_request when one of these ids is in use */
  checkFree(requests: readonly { readonly id: JsonRpcId }[]): void {
    for (const { id } of requests) if (this.#open.has(id)) throw alreadyOpen(id);
  }

  /** @throws as `checkFree` */
  begin(asked: Asked): OpenRequest {
    if (this.#open.has(asked.id)) throw alreadyOpen(asked.id);
    return this.#add(new OpenRequest(asked, this.#work));
  }

  /** One that was open when an earlier start of the orchestrator ended. */
  again(note: OpenCallNote): OpenRequest {
    return this.#add(new OpenRequest(note, this.#work, note));
  }

  /** It has its answer: its id is free again. */
  answered({ id }: OpenRequest): void {
    this.#open.delete(id);
  }

  /** A client withdraws one; ids that are not open are none of its. */
  cancel(id: unknown, why: unknown): void {
    if (typeof id === 'string' || typeof id === 'number') this.#open.get(id)?.withdrawal.abort(why);
  }

  cancelAll(why: string): void {
    for (const request of this.#open.values()) request.withdrawal.abort(why);
  }

  #add(request: OpenRequest): OpenRequest {
    this.#open.set(request.id, request);
    return request;
  }
}

function alreadyOpen(id: JsonRpcId): GantryError {
  const message = `A call with id ${JSON.stringify(id)} is already open in this session.`;
  return new GantryError('invalid_request', message, { detail: { id } });
}
