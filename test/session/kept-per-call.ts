/**
 * Prints how many bytes a call leaves behind for a full collection, with every room of a call but HTTP in between:
 * `node --expose-gc kept-per-call.ts`.
 */
import { Facts, systemClock } from '../../orchestrator/kernel/index.ts';
import { Replica } from '../../orchestrator/replica/index.ts';
import { Breaker } from '../../orchestrator/resilience/index.ts';
import { MemoryEventLog, Sessions } from '../../orchestrator/session/index.ts';
import { FakeChannel } from '../fakes/fake-channel.ts';
import { FakePools, TEST_SPEC } from '../fakes/fake-pools.ts';
import { testEndpoints } from '../fakes/test-endpoints.ts';
import { testRouter } from '../fakes/test-router.ts';

const CALLS = 20_000;
const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
};

/** Answers everything in a later turn, and remembers nothing. */
class EchoChannel extends FakeChannel {
  override async send(line: string): Promise<void> {
    const { id, method } = JSON.parse(line) as { id?: number; method: string };
    const result = method === 'initialize' ? { ...INITIALIZE, serverInfo: INITIALIZE.clientInfo } : {};
    if (id !== undefined) setImmediate(() => this.print({ id, result }));
  }
}

const clock = systemClock;
const pools = new FakePools({ ...TEST_SPEC, name: 'echo', sharing: 'shared' });
const identity = { server: 'echo', id: 'echo-1', generation: 1, containerId: '', restarts: 0, startedAt: '' };
const replica = new Replica({
  identity: { ...identity, heldBy: 'pool' },
  channel: new EchoChannel(),
  facts: new Facts(),
  clock,
  breaker: new Breaker({ policy: () => TEST_SPEC.breaker, clock, random: Math.random }),
});
pools.pool.push(replica);
await replica.greet(10_000);
const endpoints = testEndpoints(testRouter(pools), pools, clock);
const log = new MemoryEventLog({ clock });
const sessions = new Sessions({ endpoints, clock, facts: pools.facts, encodeError: String, log });
const never = new AbortController().signal;
const sender = { server: 'echo', principal: 'anonymous' };
const { sessionId } = await sessions.begin({ ...sender, sessionId: null }, INITIALIZE, never);
let id = 0;

async function call(): Promise<void> {
  const request = { kind: 'request', id: ++id, method: 'tools/call', params: { name: 'echo' } } as const;
  const reply = await sessions.take({ ...sender, sessionId }, request, () => never);
  if (reply.kind !== 'json' || !reply.outcome.ok) throw new Error(JSON.stringify(reply));
}

const collect = globalThis.gc as NonNullable<typeof globalThis.gc>;
for (let n = 0; n < 3000; n++) await call();
// What is open during a full collection becomes old: from here on nothing may hang on to it.
for (let n = 0; n < 3; n++) {
  const open = call();
  collect();
  await open;
}
const before = process.memoryUsage().heapUsed;
for (let n = 0; n < CALLS; n++) await call();
for (let n = 0; n < 2; n++) collect({ type: 'minor' } as never);
process.stdout.write(String(Math.round((process.memoryUsage().heapUsed - before) / CALLS)));
process.exit(0);
