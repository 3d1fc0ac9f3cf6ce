import { isObject, type JsonRpcOutcome, scanJson } from '../../kernel/index.ts';
import type { HeaderOf, ModernRequest } from '../modern/request.ts';
import type { StatelessCalls, StatelessReply } from '../modern/stateless-calls.ts';
import { type OutEvent, OutStream } from '../out-stream.ts';
import { sharedUri } from './names.ts';
import { withSharedUris } from './own-uris.ts';
import type { Target } from './target.ts';

/** Requests without a session to one of several servers, as if they had come to that server alone. */
export class InnerCalls {
  readonly #calls: Pick<StatelessCalls, 'take'>;

  constructor(calls: Pick<StatelessCalls, 'take'>) {
    this.#calls = calls;
  }

  /** A client's request, and its answer as the client of several servers is to see it. @throws as `StatelessCalls.take` */
  async relay(
    { server, own, params }: Target,
    principal: string,
    { id, method }: ModernRequest,
    headerOf: HeaderOf,
    gone: AbortSignal,
  ): Promise<StatelessReply> {
    const message = { kind: 'request', id, method, params } as const;
    const reply = await this.#calls.take({ server, principal }, message, namedAs(own, headerOf), gone);
    if (reply.kind === 'json') return { ...reply, outcome: withSharedUris(server, method, reply.outcome) };
    if (reply.kind !== 'stream') return reply;
    return { kind: 'stream', stream: edited(reply.stream, (data) => asShared(server, method, data)) };
  }

  /** A request on behalf of a client that waits for nothing; rejects where there is no plain answer. @throws as `relay` */
  async ask(
    server: string,
    principal: string,
    request: { readonly method: string; readonly params: Readonly<Record<string, unknown>> },
    headerOf: HeaderOf,
    gone: AbortSignal,
  ): Promise<JsonRpcOutcome> {
    const reply = await this.open(server, principal, request, headerOf, gone);
    if (reply.kind === 'json') return reply.outcome;
    if (reply.kind === 'stream') {
      let last = '{}';
      for await (const { data } of reply.stream) last = data;
      return outcomeOf(last);
    }
    throw new TypeError(`${request.method} was answered by ${reply.kind}`);
  }

  /** The same, answered as it comes. */
  open(
    server: string,
    principal: string,
    { method, params }: { readonly method: string; readonly params: Readonly<Record<string, unknown>> },
    headerOf: HeaderOf,
    gone: AbortSignal,
  ): Promise<StatelessReply> {
    const message = { kind: 'request', id: 'gantry', method, params } as const;
    const own: HeaderOf = (name) => (name === 'Mcp-Method' ? method : headerOf(name));
    return this.#calls.take({ server, principal }, message, own, gone);
  }
}

/** The headers as that server's client would send them: the name is said in both, and has to be the same. */
function namedAs(own: string, headerOf: HeaderOf): HeaderOf {
  const name = `=?base64?${Buffer.from(own).toString('base64')}?=`;
  return (header) => (header === 'Mcp-Name' ? name : headerOf(header));
}

/** The events of a stream, their data changed; it ends when the other does. */
function edited(stream: OutStream<OutEvent>, edit: (data: string) => string): OutStream<OutEvent> {
  const out = new OutStream<OutEvent>();
  void (async () => {
    for await (const event of stream) if (!out.push({ ...event, data: edit(event.data) })) break;
    out.end();
  })();
  return out;
}

/** A message of a call: its result, or what the server says before that. */
function asShared(server: string, method: string, data: string): string {
  const message: unknown = JSON.parse(data);
  if (!isObject(message)) return data;
  if ('result' in message) {
    const before = outcomeOf(data);
    const after = withSharedUris(server, method, before);
    if (after === before || !after.ok) return data;
    return `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":${after.raw}}`;
  }
  const params = isObject(message.params) ? message.params : {};
  if (message.method === 'notifications/message') {
    const logger = typeof params.logger === 'string' ? `${server}/${params.logger}` : server;
    return JSON.stringify({ ...message, params: { ...params, logger } });
  }
  if (message.method !== 'notifications/resources/updated' || typeof params.uri !== 'string') return data;
  return JSON.stringify({ ...message, params: { ...params, uri: sharedUri({ server, own: params.uri }) } });
}

/** An answer from its text, which was written here. */
function outcomeOf(data: string): JsonRpcOutcome {
  const message = JSON.parse(data) as { result?: unknown; error?: { code: number; message: string } };
  if (message.error !== undefined) return { ok: false, error: message.error };
  const scan = scanJson(data);
  return { ok: true, result: message.result ?? {}, raw: (scan.ok && scan.members.get('result')) || '{}' };
}
