import type { ExecutionContext } from 'ava';
import type { GantryError, ServerSpec } from '../../../orchestrator/kernel/index.ts';
import {
  type ClientMessage,
  encodeOutcome,
  MemoryEventLog,
  type Reply,
  type Sender,
  Sessions,
} from '../../../orchestrator/session/index.ts';
import type { FakeChannel, SentMessage } from '../../fakes/fake-channel.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakePools, TEST_SPEC } from '../../fakes/fake-pools.ts';
import { testEndpoints } from '../../fakes/test-endpoints.ts';
import { testRouter } from '../../fakes/test-router.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
export type Loose = any;
export type Play = (message: SentMessage & { params: Loose }, channel: FakeChannel) => void;

const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  logging: {},
  completions: {},
};
const META = 'io.modelcontextprotocol/';
export const VERSION = `${META}protocolVersion`;
export const CLIENT = `${META}clientCapabilities`;
export const INFO = `${META}clientInfo`;
export const LEVEL = `${META}logLevel`;
export const SUBSCRIPTION = `${META}subscriptionId`;

export const DISCOVERED = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: CAPABILITIES,
  instructions: 'be kind',
  ttlMs: 1000,
  cacheScope: 'public',
  _meta: { [`${META}serverInfo`]: { name: 'modern', version: '7' } },
};

/** Sessions over processes that are played and know only 2026-07-28. */
export function overModernRig(
  t: ExecutionContext,
  options: { spec?: Partial<ServerSpec>; play?: Play } = {},
) {
  const spec = { ...TEST_SPEC, maxSessions: 20, ...options.spec };
  const pools = new FakePools(spec);
  pools.verdict = { era: 'modern', mixed: false };
  pools.play = (channel) => {
    channel.onSent = (message) => {
      if (message.method === 'server/discover') channel.print({ id: message.id, result: DISCOVERED });
      else if (message.method === 'initialize')
        throw new Error('a modern server was greeted as a legacy one');
      else options.play?.(message as Parameters<Play>[0], channel);
    };
  };
  const clock = new FakeClock();
  const sessions = new Sessions({
    endpoints: testEndpoints(testRouter(pools, { clock }), pools, clock),
    clock,
    facts: pools.facts,
    log: new MemoryEventLog({ clock }),
    encodeError: (id, error) => JSON.stringify({ id, error: { code: (error as GantryError).code } }),
  });
  t.teardown(() => sessions.close());
  return { pools, clock, sessions, client: new Client(sessions, spec.name) };
}

/** A client with a session, as far as these tests need one. */
export class Client {
  readonly #sessions: Sessions;
  readonly #server: string;
  #sessionId: string | null = null;
  #lastId = 0;

  constructor(sessions: Sessions, server: string) {
    this.#sessions = sessions;
    this.#server = server;
  }

  async initialize(params: Record<string, unknown> = {}): Promise<Loose> {
    const wanted = {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    };
    const reply = await this.send(this.#request('initialize', { ...wanted, ...params }));
    if (reply.kind !== 'json' || reply.sessionId === null) throw new Error('no session');
    this.#sessionId = reply.sessionId;
    return JSON.parse(encodeOutcome('?', reply.outcome)).result;
  }

  send(message: ClientMessage): Promise<Reply> {
    return this.#sessions.take(this.#sender, message, () => new AbortController().signal);
  }

  end(): void {
    this.#sessions.end(this.#sender);
  }

  /** The answer, whichever way it comes; what comes before it is given to `onMessage`. */
  async call(
    method: string,
    params: Loose = {},
    onMessage: (message: Loose) => void = () => {},
  ): Promise<Loose> {
    const reply = await this.send(this.#request(method, params));
    if (reply.kind === 'json') return JSON.parse(encodeOutcome('?', reply.outcome));
    if (reply.kind !== 'stream') throw new Error(`an answer was expected, not ${reply.kind}`);
    let last: Loose;
    for await (const { data } of reply.stream) {
      if (data === '') continue;
      last = JSON.parse(data);
      onMessage(last);
    }
    return last;
  }

  answer(id: string, answer: { result: unknown } | { error: unknown }): Promise<Reply> {
    return this.send({ kind: 'response', id, answer });
  }

  cancel(requestId: number): Promise<Reply> {
    return this.send({ kind: 'notification', method: 'notifications/cancelled', params: { requestId } });
  }

  /** What belongs to no call. */
  listen(): AsyncIterator<{ data: string }> {
    return this.#sessions.listen(this.#sender)[Symbol.asyncIterator]();
  }

  get #sender(): Sender {
    return { server: this.#server, principal: 'alice', sessionId: this.#sessionId };
  }

  #request(method: string, params: Record<string, unknown>): Extract<ClientMessage, { kind: 'request' }> {
    return { kind: 'request', id: ++this.#lastId, method, params };
  }
}
