import type { ExecutionContext } from 'ava';
import { type GantryError, type ServerSpec, systemClock } from '../../../orchestrator/kernel/index.ts';
import {
  encodeOutcome,
  type OutEvent,
  type OutStream,
  StatelessCalls,
  type StatelessReply,
} from '../../../orchestrator/session/index.ts';
import type { FakeChannel, SentMessage } from '../../fakes/fake-channel.ts';
import { FakePools, TEST_SPEC } from '../../fakes/fake-pools.ts';
import { testRouter } from '../../fakes/test-router.ts';
import { headersFor, type ModernMessage } from './modern-request.ts';

/** What a played process does with one message; the others it answers itself. */
export type Play = (message: SentMessage, channel: FakeChannel) => void;

export const NEVER = new AbortController().signal;

/** Stateless calls over processes that are played: by default each is a legacy server that echoes. */
export function statelessRig(
  t: ExecutionContext,
  options: { spec?: Partial<ServerSpec>; play?: Play; modern?: boolean; clock?: typeof systemClock } = {},
) {
  const spec = { ...TEST_SPEC, maxSessions: 20, ...options.spec };
  const pools = new FakePools(spec);
  if (options.modern) pools.verdict = { era: 'both', mixed: false };
  pools.play = (channel) => {
    channel.onSent = (message) => {
      const { id, method } = message;
      if (method === 'server/discover') channel.print({ id, ...(options.modern ? DISCOVERED : UNKNOWN) });
      else if (method === 'initialize') channel.print({ id, result: GREETED });
      else if (method === 'notifications/initialized') return;
      else if (options.play !== undefined) options.play(message, channel);
      else if (id !== undefined && method !== undefined)
        channel.print({ id, result: { method, params: message.params ?? null } });
    };
  };
  const stateless = new StatelessCalls({
    router: testRouter(pools),
    clock: options.clock ?? systemClock,
    facts: pools.facts,
    encodeError: (id, error) => JSON.stringify({ id, error: (error as GantryError).code }),
  });
  t.teardown(() => stateless.close());
  const send = (message: ModernMessage, principal = 'alice', gone = NEVER): Promise<StatelessReply> =>
    stateless.take({ server: spec.name, principal }, message, headersFor(message), gone);
  return { pools, stateless, send };
}

const INFO = { name: 'echo', version: '1' };
const CAPABILITIES = { tools: { listChanged: true }, resources: { subscribe: true }, tasks: {} };
const GREETED = { protocolVersion: '2025-11-25', capabilities: CAPABILITIES, serverInfo: INFO };
const UNKNOWN = { error: { code: -32601, message: 'Method not found' } };
const DISCOVERED = {
  result: { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: CAPABILITIES },
};

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
export type Loose = any;

/** The answer of a reply that is JSON, as the client would parse it. */
export function jsonOf(reply: StatelessReply): Loose {
  if (reply.kind !== 'json') throw new Error(`JSON was expected, not ${reply.kind}`);
  return JSON.parse(encodeOutcome('?', reply.outcome));
}

export function resultOf(reply: StatelessReply): Loose {
  return jsonOf(reply).result;
}

export function streamOf(reply: StatelessReply): OutStream<OutEvent> {
  if (reply.kind !== 'stream') throw new Error(`a stream was expected, not ${reply.kind}`);
  return reply.stream;
}

export async function read(stream: OutStream<OutEvent>): Promise<Loose[]> {
  const messages: Loose[] = [];
  for await (const { data } of stream) messages.push(JSON.parse(data));
  return messages;
}

/** The methods that processes were sent, without handshakes and probes. */
export function sentMethods(pools: FakePools): (string | undefined)[] {
  const quiet = ['initialize', 'notifications/initialized', 'server/discover'];
  return pools.opened
    .flatMap(({ channel }) => channel.sent.map(({ method }) => method))
    .filter((method) => !quiet.includes(method ?? ''));
}
