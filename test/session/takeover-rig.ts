import type { GantryError, ServerSpec } from '../../orchestrator/kernel/index.ts';
import {
  type ClientMessage,
  MemoryEventLog,
  type OutEvent,
  type OutStream,
  type Reply,
  type SessionRecord,
  Sessions,
} from '../../orchestrator/session/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeLastingChannel } from '../fakes/fake-lasting-channel.ts';
import { FakePools, TEST_SPEC } from '../fakes/fake-pools.ts';
import { testEndpoints } from '../fakes/test-endpoints.ts';
import { testRouter } from '../fakes/test-router.ts';
import { opened, request } from './sessions-rig.ts';

const NEVER = (): AbortSignal => new AbortController().signal;
export const CALL = { name: 'slow', _meta: { progressToken: 'mine' } };

const GREETED = {
  ...{ era: 'legacy' as const, protocolVersion: '2025-11-25', instructions: null },
  ...{ capabilities: {}, serverInfo: {} },
};

/** What outlives a process: the log, the book of sessions, the time. */
export function world(spec: ServerSpec = TEST_SPEC) {
  const clock = new FakeClock();
  const log = new MemoryEventLog({ clock });
  const records = new Map<string, SessionRecord>();
  const book = {
    put: async (key: string, record: SessionRecord) => records.set(key, record) !== undefined,
    remove: (key: string) => void records.delete(key),
  };
  /** One start of the orchestrator. */
  const start = (linesTaken = 0) => {
    const pools = new FakePools(spec);
    pools.clock = clock;
    pools.channel = () => new FakeLastingChannel(linesTaken);
    const endpoints = testEndpoints(testRouter(pools), pools, clock);
    const encodeError = (id: unknown, error: unknown): string =>
      JSON.stringify({ id, error: (error as GantryError).code });
    const sessions = new Sessions({ endpoints, clock, facts: pools.facts, log, book, encodeError });
    const send = (message: ClientMessage, sessionId: string | null, principal = 'alice'): Promise<Reply> =>
      sessions.take({ server: spec.name, principal, sessionId }, message, NEVER);
    return { pools, sessions, send };
  };
  /** The next start, which finds the replica of that id where the process of before still runs. */
  const restart = async (replica: string | null, linesTaken = 100) => {
    const next = start(linesTaken);
    const found =
      replica === null ? null : next.pools.make(spec.name, replica, 'session', { idsAbove: 1000 });
    if (found !== null) {
      next.pools.left.set(found.replica.identity.id, found.replica);
      found.replica.lasting.takenOver(GREETED);
    }
    await next.sessions.restore({ sessions: records, notes: await log.notes() });
    return { ...next, channel: found?.channel as FakeLastingChannel };
  };
  return { clock, log, records, start, restart };
}

type Start = ReturnType<ReturnType<typeof world>['start']>;

export const initialize: ClientMessage = {
  kind: 'request',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: { roots: {} } },
};

/** So many messages, those aside that only keep a stream open. */
export async function take(stream: OutStream<OutEvent> | null, count: number): Promise<OutEvent[]> {
  const events: OutEvent[] = [];
  if (stream === null || count === 0) return events;
  for await (const event of stream) if (event.data !== '' && events.push(event) === count) break;
  return events;
}

/** What messages say: their progress, result or error. */
export function textsOf(events: readonly OutEvent[]): unknown[] {
  return events.map(({ data }) => {
    const { params, result, error } = JSON.parse(data);
    return params?.progress ?? result ?? error;
  });
}

export function channelOf({ pools }: Start): FakeLastingChannel {
  return pools.opened[0]?.channel as FakeLastingChannel;
}

/** A session whose call has reported one step and is open: the first event of its stream, and its id at the process. */
export async function underway(first: Start) {
  const id = opened(await first.send(initialize, null));
  const channel = channelOf(first);
  let callId = 0;
  channel.onSent = (message) => {
    callId = Number(message.id);
    channel.print({ method: 'notifications/progress', params: { progressToken: callId, progress: 1 } });
  };
  const reply = await first.send(request('c', 'tools/call', CALL), id);
  if (reply.kind !== 'stream') throw new Error('a stream was expected');
  const [event] = await take(reply.stream, 1);
  return { id, channel, callId, event, line: channel.linesSent };
}
