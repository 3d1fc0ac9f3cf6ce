import { type Clock, isObject, type JsonRpcOutcome, type Timeouts } from '../../kernel/index.ts';
import type { CallOptions, Replica, ServerMessage } from '../../routing/index.ts';
import { ASKS } from '../modern/both-eras.ts';
import type { DescribedClient } from './client.ts';
import type { ClientQuestions } from './client-questions.ts';
import { cannotGoOn, legacyOutcome, type Refusal } from './legacy-answer.ts';

/** Each takes an answer of the client; a server that asks for ever is cut off. */
const MAX_ROUNDS = 64;

/** Has the replica that serves a round, for as long as the round takes. */
export type WithReplica = <T>(use: (replica: Replica) => Promise<T>) => Promise<T>;

export type RoundsOptions = {
  readonly withReplica: WithReplica;
  readonly client: DescribedClient;
  readonly questions: ClientQuestions;
  readonly clock: Clock;
  readonly timeouts: Pick<Timeouts, 'callTimeoutMs' | 'maxCallMs'>;
  readonly signal: AbortSignal;
  readonly onMessage: (message: ServerMessage) => void;
  /** Whether messages without correlation are this call's: only where the session has the process for itself. */
  readonly takesUnattributed: boolean;
};

/**
 * One call of a client with a session to a server without: where the server answers `input_required`, its questions
 * become requests to the client, and their answers another request to the server, until it is done.
 * `maxCallMs` is for all rounds and answers together, `callTimeoutMs` for each round.
 * @throws GantryError replica_failed, call_timeout, cancelled
 */
export async function callInRounds(
  method: string,
  params: Readonly<Record<string, unknown>> | undefined,
  options: RoundsOptions,
): Promise<JsonRpcOutcome> {
  const { withReplica, client, clock, timeouts, signal, takesUnattributed, onMessage } = options;
  const until = clock.now() + timeouts.maxCallMs;
  const described = client.paramsOf(params);
  let given: Record<string, unknown> = {};
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const leftMs = Math.max(1, until - clock.now());
    const outcome = await withReplica((replica) => {
      const callOptions: CallOptions = {
        callTimeoutMs: timeouts.callTimeoutMs,
        maxCallMs: leftMs,
        signal,
        takesUnattributed,
        onMessage: (message) => {
          if (message.kind === 'notification') onMessage(message);
          // A server of this revision must not ask like this; one that does must not wait for ever.
          else void replica.respond(message.id, { error: NO_REQUESTS }).catch(() => {});
        },
      };
      return replica.call(method, { ...described, ...given }, callOptions);
    });
    const wanted = inputWanted(outcome);
    if (wanted === null) return legacyOutcome(method, outcome);
    const answers = await answersTo(wanted.requests, options, until);
    if (!answers.ok) return answers;
    const state = wanted.state === undefined ? {} : { requestState: wanted.state };
    given = { inputResponses: answers.result, ...state };
  }
  return cannotGoOn(`The server asked for input ${MAX_ROUNDS} times without coming to an end.`);
}

const NO_REQUESTS = { code: -32601, message: 'Servers of MCP 2026-07-28 have no requests to clients.' };

/** What an `input_required` result asks for; null for any other. */
function inputWanted(outcome: JsonRpcOutcome): { requests: Record<string, unknown>; state: unknown } | null {
  if (!outcome.ok || !isObject(outcome.result) || outcome.result.resultType !== 'input_required') return null;
  const { inputRequests, requestState } = outcome.result;
  return { requests: isObject(inputRequests) ? inputRequests : {}, state: requestState };
}

type Answers = Refusal | { ok: true; result: Record<string, unknown> };

/** Asks everything at once, as it came. An error of the client ends the call: the server cannot be told of one. */
async function answersTo(
  requests: Readonly<Record<string, unknown>>,
  { client, questions, clock, signal, onMessage }: RoundsOptions,
  until: number,
): Promise<Answers> {
  const asked = Object.entries(requests).map(([name, request]) => ({ name, request: readRequest(request) }));
  for (const { name, request } of asked) {
    const capability = request === null ? undefined : ASKS[request.method];
    if (capability === undefined || !(capability in client.capabilities)) {
      const what = request === null ? `something that cannot be read (${name})` : request.method;
      return cannotGoOn(`The server asked for ${what}, which this client does not offer.`);
    }
  }
  // What one question runs into withdraws the others.
  const abort = new AbortController();
  const options = {
    withinMs: Math.max(1, until - clock.now()),
    signal: AbortSignal.any([signal, abort.signal]),
    tell: onMessage,
  };
  const results: Record<string, unknown> = {};
  try {
    await Promise.all(
      asked.map(async ({ name, request }) => {
        if (request === null) return;
        const answer = await questions.ask(request, options);
        if ('error' in answer) throw new ClientRefused(request.method, answer.error);
        results[name] = answer.result;
      }),
    );
    return { ok: true, result: results };
  } catch (error) {
    abort.abort();
    if (error instanceof ClientRefused) return cannotGoOn(error.message, error.data);
    throw error;
  }
}

/** Only within this file: an answer that is an error. */
class ClientRefused extends Error {
  readonly data: unknown;

  constructor(method: string, error: unknown) {
    const said = isObject(error) && typeof error.message === 'string' ? `: ${error.message}` : '';
    super(`The client answered ${method} with an error${said}`);
    this.data = error;
  }
}

function readRequest(value: unknown): { method: string; params: Record<string, unknown> } | null {
  if (!isObject(value) || typeof value.method !== 'string') return null;
  return { method: value.method, params: isObject(value.params) ? value.params : {} };
}
