import type { ExecutionContext } from 'ava';
import {
  ALL_TOOLS,
  type GantryError,
  type Offers,
  type ServerSet,
  type ServerSpec,
} from '../../../orchestrator/kernel/index.ts';
import {
  ALL_SERVERS,
  type ClientMessage,
  Endpoints,
  MemoryEventLog,
  type OutEvent,
  type OutStream,
  type Reply,
  Sessions,
  StatelessAggregates,
  StatelessCalls,
} from '../../../orchestrator/session/index.ts';
import type { FakeChannel, SentMessage } from '../../fakes/fake-channel.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakePools, type PlayedReplica, TEST_SPEC } from '../../fakes/fake-pools.ts';
import { FakeCatalogue, testAggregates } from '../../fakes/test-endpoints.ts';
import { testRouter } from '../../fakes/test-router.ts';

/** What a played process of a server does with one message; @returns false where it should do as usual. */
export type Play = (server: string, message: SentMessage, channel: FakeChannel) => boolean;

export const NEVER = new AbortController().signal;

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
export type Loose = any;

export function offers(some: Partial<Offers>): Offers {
  return { tools: [], prompts: [], resources: [], resourceTemplates: [], instructions: null, ...some };
}

/** Pools whose processes know whose they are. */
class NamedPools extends FakePools {
  playNamed: (server: string, channel: FakeChannel) => void = () => {};

  override make(server: string, id: string, heldBy: 'pool' | 'session'): PlayedReplica {
    this.play = (channel) => this.playNamed(server, channel);
    return super.make(server, id, heldBy);
  }
}

const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: {},
  resources: { subscribe: true },
  logging: {},
};

/** Two servers, `a` and `b`, whose processes are played: they list a tool of their name, and echo what else they are asked. */
export function aggregateRig(
  t: ExecutionContext,
  options: { play?: Play; spec?: Partial<ServerSpec>; sets?: readonly ServerSet[] } = {},
) {
  const { play = () => false, sets = [] } = options;
  const specs = ['a', 'b'].map((name) => ({ ...TEST_SPEC, ...options.spec, name }));
  const pools = new NamedPools(...specs);
  pools.playNamed = (server, channel) => {
    channel.onSent = (message) => {
      const { id, method, params } = message;
      if (play(server, message, channel) || id === undefined || method === undefined) return;
      if (method === 'initialize') {
        const serverInfo = { name: server, version: '1' };
        channel.print({
          id,
          result: { protocolVersion: '2025-11-25', capabilities: CAPABILITIES, serverInfo },
        });
      } else if (method === 'tools/list')
        channel.print({ id, result: { tools: [{ name: `own-of-${server}` }] } });
      else channel.print({ id, result: { server, method, params: params ?? null } });
    };
  };
  const clock = new FakeClock();
  const router = testRouter(pools, { clock });
  const catalogue = new FakeCatalogue(() => [...pools.specs.keys()]);
  for (const { name } of specs) catalogue.known.set(name, offers({ tools: [{ name: 'known' }] }));
  const aggregates = testAggregates(router, pools, { catalogue, sets });
  const encodeError = (id: unknown, error: unknown): string =>
    JSON.stringify({ id, error: { code: (error as GantryError).code } });
  const endpoints = new Endpoints({ router, clock, aggregates });
  const log = new MemoryEventLog({ clock });
  const sessions = new Sessions({ endpoints, clock, facts: pools.facts, log, encodeError });
  const calls = new StatelessCalls({ router, clock, facts: pools.facts, encodeError });
  const stateless = new StatelessAggregates({ aggregates, calls, encodeError });
  t.teardown(() => {
    sessions.close();
    stateless.drain();
    calls.close();
    aggregates.close();
  });
  return { pools, clock, catalogue, aggregates, sessions, stateless };
}

/** A client with a session on both servers, as far as these tests need one. */
export async function openClient(
  { sessions }: Pick<ReturnType<typeof aggregateRig>, 'sessions'>,
  { capabilities = {}, endpoint = ALL_SERVERS }: { capabilities?: object; endpoint?: string } = {},
) {
  const sender = { server: endpoint, principal: 'anonymous' };
  let lastId = 0;
  const take = (message: ClientMessage, sessionId: string | null): Promise<Reply> =>
    sessions.take({ ...sender, sessionId }, message, () => NEVER);
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'c', version: '1' } };
  const begun = await take({ kind: 'request', id: 'init', method: 'initialize', params }, null);
  if (begun.kind !== 'json' || begun.sessionId === null) throw new Error('no session');
  const { sessionId } = begun;
  return {
    greeting: begun.outcome.ok ? (begun.outcome.result as Loose) : null,
    reply: (method: string, given: Record<string, unknown> = {}): Promise<Reply> =>
      take({ kind: 'request', id: ++lastId, method, params: given }, sessionId),
    async ask(method: string, given: Record<string, unknown> = {}): Promise<Loose> {
      const reply = await this.reply(method, given);
      if (reply.kind !== 'json') throw new Error(`JSON was expected, not ${reply.kind}`);
      return reply.outcome.ok ? reply.outcome.result : reply.outcome.error;
    },
    notify: (method: string, given: Record<string, unknown>): Promise<Reply> =>
      take({ kind: 'notification', method, params: given }, sessionId),
    respond: (id: string | number, result: unknown): Promise<Reply> =>
      take({ kind: 'response', id, answer: { result } }, sessionId),
    listen: (): OutStream<OutEvent> => sessions.listen({ ...sender, sessionId }),
    end: (): void => sessions.end({ ...sender, sessionId }),
  };
}

/** Reads a stream message by message. */
export function reader(stream: OutStream<OutEvent>) {
  const events = stream[Symbol.asyncIterator]();
  return async (): Promise<Loose> => {
    for (;;) {
      const { value, done } = await events.next();
      if (done === true) return null;
      if (value.data !== '') return JSON.parse(value.data);
    }
  };
}

export function set(name: string, servers: readonly string[], tools = ALL_TOOLS): ServerSet {
  return { name, servers, tools };
}
