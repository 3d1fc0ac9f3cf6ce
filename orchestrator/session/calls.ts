import { type Clock, isObject, type JsonRpcId, type JsonRpcOutcome } from '../kernel/index.ts';
import type { ServerMessage } from '../routing/index.ts';
import type { Backend } from './backend.ts';
import type { ClientMessage } from './client-message.ts';
import { encodeOutcome } from './encode.ts';
import { endedMeanwhile, isCancelled, lostWithRestart } from './endings.ts';
import { Exchange, STREAM } from './exchange.ts';
import { type OpenRequest, OpenRequests } from './open-requests.ts';
import type { OpenCallNote, OpenWork } from './open-work.ts';
import type { OutEvent, OutStream } from './out-stream.ts';
import type { Stream } from './stream.ts';
import type { Streams } from './streams.ts';

/** An answer that is on its way: at once, or as a stream when the server has something to say before it. */
export type Answer =
  | { readonly kind: 'json'; readonly outcome: JsonRpcOutcome }
  /** The answers of a batch, each as text. */
  | { readonly kind: 'list'; readonly answers: readonly string[] }
  | { readonly kind: 'stream'; readonly stream: OutStream<OutEvent> };

type Request = Extract<ClientMessage, { kind: 'request' }>;
type Started = { readonly request: OpenRequest; readonly outcome: Promise<JsonRpcOutcome> };
type Answering = { readonly request: OpenRequest; readonly text: Promise<string | null> };

/** How a failure becomes a JSON-RPC message; the numbers are the business of `http`. */
export type EncodeError = (id: JsonRpcId, error: unknown) => string;

export type CallsOptions = {
  readonly server: string;
  readonly backend: Backend;
  readonly streams: Streams;
  readonly work: OpenWork;
  readonly clock: Clock;
  readonly encodeError: EncodeError;
  /** Gives the client what the server says. @param push says it on a stream, or that nobody can get it */
  readonly tell: (message: ServerMessage, push: (text: string, lost: () => void) => void) => void;
};

/** The calls of one session, and how their answers get back: as JSON, or on a stream of their own. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #requests: OpenRequests;
  #lastRequestAt: number;
  #ended = false;

  constructor(options: CallsOptions, lastRequestAt: number) {
    this.#options = options;
    this.#requests = new OpenRequests(options.work);
    this.#lastRequestAt = lastRequestAt;
  }

  /** When the client was heard last, in milliseconds since the epoch; now, while a call is open. */
  get lastRequestAt(): number {
    return this.#requests.count > 0 ? this.#options.clock.now() : this.#lastRequestAt;
  }

  /** The client has said something. */
  heard(): void {
    this.#lastRequestAt = this.#options.clock.now();
  }

  /**
   * One request. The answer is JSON unless the server says something else first, or is still busy after
   * `patienceMs`: then it is a stream, which can be kept alive.
   * @throws GantryError replica_failed, call_timeout, cancelled; only before a stream was begun
   */
  async one(
    id: JsonRpcId,
    method: string,
    params: Record<string, unknown> | undefined,
    patienceMs: number,
  ): Promise<Answer> {
    const { exchange, outcomes } = this.#exchange([{ id, method, params }]);
    const [{ request, outcome }] = outcomes as [Started];
    try {
      const first = await exchange.first(outcome, this.#options.clock, patienceMs);
      if (first !== STREAM) {
        request.done();
        return { kind: 'json', outcome: first };
      }
      this.#answerOn(exchange.stream, [{ request, text: this.#encoded(id, outcome) }]);
    } catch (error) {
      if (!isCancelled(error)) throw error;
      if (this.#ended) throw endedMeanwhile(this.#options.server);
      exchange.stream.finish(); // a cancelled request gets no answer, so its response is an empty stream
      request.done();
    }
    return { kind: 'stream', stream: exchange.reader };
  }

  /**
   * Requests that came together: their answers go back together, as a list or on one stream.
   * @throws GantryError invalid_request when one of the ids is in use; then none of them was sent
   */
  async all(requests: readonly Request[], patienceMs: number): Promise<Answer> {
    this.checkFree(requests);
    const { exchange, outcomes } = this.#exchange(requests);
    const answers = outcomes.map(({ request, outcome }): Answering => {
      return { request, text: this.#encoded(request.id, outcome) };
    });
    const all = Promise.all(answers.map(({ text }) => text));
    const texts = await exchange.first(all, this.#options.clock, patienceMs);
    const list = texts === STREAM ? [] : texts.filter((text) => text !== null);
    if (list.length > 0) {
      for (const { request } of answers) request.done();
      return { kind: 'list', answers: list };
    }
    // Where all were cancelled an array without elements would be no answer: then the stream is empty.
    this.#answerOn(exchange.stream, answers);
    return { kind: 'stream', stream: exchange.reader };
  }

  /**
   * Calls that an earlier start of the orchestrator left open: their answers are said on the streams they belong to.
   * To be asked in the turn in which the session is made.
   */
  goOn(calls: readonly OpenCallNote[]): void {
    for (const [stream, notes] of Map.groupBy(calls, (call) => call.stream)) {
      const again = this.#options.streams.again(stream);
      const say = (message: ServerMessage): void => this.#options.tell(message, (text) => again.push(text));
      const answers = notes.map((note) => {
        const request = this.#requests.again(note);
        const outcome = this.#resumed(note, request, say);
        return { request, text: this.#encoded(note.id, outcome) };
      });
      this.#answerOn(again, answers);
    }
  }

  /** @throws GantryError invalid_request when a call with one of these ids is open */
  checkFree(requests: readonly { readonly id: JsonRpcId }[]): void {
    this.#requests.checkFree(requests);
  }

  cancel(id: unknown, why: unknown): void {
    this.#requests.cancel(id, why);
  }

  /** The session is over: what is open ends with an error. */
  end(why: string): void {
    this.#ended = true;
    this.#requests.cancelAll(why);
  }

  /** Sends requests; what the server says before their answers goes to one exchange. */
  #exchange(asked: readonly Pick<Request, 'id' | 'method' | 'params'>[]) {
    const requests: OpenRequest[] = [];
    const exchange = new Exchange(() => {
      const begun = this.#options.streams.begin();
      for (const request of requests) request.goesTo(begun.stream.id);
      return begun;
    });
    const onMessage = (message: ServerMessage): void =>
      this.#options.tell(message, (text, lost) => exchange.stream.push(text, lost));
    const now = this.#options.clock.now();
    const outcomes = asked.map(({ id, method, params }): Started => {
      const request = this.#requests.begin({ id, method, token: tokenOf(params), startedAt: now });
      requests.push(request);
      const options = { signal: request.withdrawal, onMessage, onSent: request.onSent };
      return {
        request,
        outcome: this.#answered(request, this.#options.backend.call(method, params, options)),
      };
    });
    return { exchange, outcomes };
  }

  #resumed(
    { sent, method, token, startedAt }: OpenCallNote,
    request: OpenRequest,
    onMessage: (message: ServerMessage) => void,
  ): Promise<JsonRpcOutcome> {
    const options = { signal: request.withdrawal, onMessage, startedAt };
    const { backend, server } = this.#options;
    const lost = (): Promise<never> => Promise.reject(lostWithRestart(server));
    return this.#answered(
      request,
      sent === null || backend.resume === undefined
        ? lost()
        : backend.resume({ sent, method, token }, options),
    );
  }

  #answered(request: OpenRequest, outcome: Promise<JsonRpcOutcome>): Promise<JsonRpcOutcome> {
    const ended = (): void => {
      this.#requests.answered(request);
      this.#lastRequestAt = this.#options.clock.now();
    };
    outcome.then(ended, ended); // before anybody who waits for the outcome goes on
    return outcome;
  }

  /** Says the answers as they come, and ends the stream after the last. */
  #answerOn(stream: Stream, answers: readonly Answering[]): void {
    const said = answers.map(async ({ request, text }) => {
      const answer = await text;
      if (answer !== null) stream.push(answer);
      request.done();
    });
    void Promise.all(said).then(() => (this.#ended ? stream.drop() : stream.finish()));
  }

  /** The answer as text, an error like any other; null where there is to be none. */
  async #encoded(id: JsonRpcId, outcome: Promise<JsonRpcOutcome>): Promise<string | null> {
    try {
      return encodeOutcome(id, await outcome);
    } catch (error) {
      // A cancelled request gets no answer (MCP 2025-11-25, basic/utilities/cancellation), unless the session itself ends.
      if (!isCancelled(error)) return this.#options.encodeError(id, error);
      return this.#ended ? this.#options.encodeError(id, endedMeanwhile(this.#options.server)) : null;
    }
  }
}

function tokenOf(params: Record<string, unknown> | undefined): unknown {
  return isObject(params?._meta) ? params._meta.progressToken : undefined;
}
