import type { ExecutionContext } from 'ava';
import type { GantryError, ServerSpec } from '../../orchestrator/kernel/index.ts';
import {
  type ClientMessage,
  MemoryEventLog,
  type OutEvent,
  type OutStream,
  type Reply,
  Sessions,
} from '../../orchestrator/session/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakePools, TEST_SPEC } from '../fakes/fake-pools.ts';
import { testEndpoints } from '../fakes/test-endpoints.ts';
import { testRouter } from '../fakes/test-router.ts';

const NEVER = new AbortController().signal;

/** Sessions over processes that are played; by default each completes the handshake and echoes. */
export function setUp(t: ExecutionContext, spec: ServerSpec = TEST_SPEC) {
  const pools = new FakePools(spec);
  const clock = new FakeClock();
  const sessions = new Sessions({
    endpoints: testEndpoints(testRouter(pools), pools, clock),
    clock,
    facts: pools.facts,
    log: new MemoryEventLog({ clock }),
    encodeError: (id, error) => JSON.stringify({ id, error: (error as GantryError).code }),
  });
  t.teardown(() => sessions.close());
  const send = (message: ClientMessage, sessionId: string | null, principal = 'alice'): Promise<Reply> =>
    sessions.take({ server: spec.name, principal, sessionId }, message, () => NEVER);
  const open = async (principal = 'alice'): Promise<string> => {
    const reply = await send(
      request(0, 'initialize', { protocolVersion: '2025-06-18', capabilities: { roots: {} } }),
      null,
      principal,
    );
    return opened(reply);
  };
  return { pools, clock, sessions, send, open };
}

export function request(
  id: string | number,
  method: string,
  params: Record<string, unknown> = {},
): ClientMessage {
  return { kind: 'request', id, method, params };
}

export function notification(method: string, params: Record<string, unknown> = {}): ClientMessage {
  return { kind: 'notification', method, params };
}

/** The id of the session that an initialize has opened. */
export function opened(reply: Reply): string {
  if (reply.kind === 'accepted' || reply.sessionId === null) throw new Error('no session');
  return reply.sessionId;
}

export async function read(stream: OutStream<OutEvent>): Promise<Record<string, unknown>[]> {
  const messages: Record<string, unknown>[] = [];
  for await (const { data } of stream) if (data !== '') messages.push(JSON.parse(data));
  return messages;
}

export function streamOf(reply: Reply): OutStream<OutEvent> {
  if (reply.kind !== 'stream') throw new Error(`a stream was expected, not ${reply.kind}`);
  return reply.stream;
}
