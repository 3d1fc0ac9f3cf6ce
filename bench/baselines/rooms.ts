/**
 * Gantry's own rooms (HTTP, session, routing, replica, link) in front of a child process instead of a container: what
 * a CPU profile is taken of, and what is left of a call's cost when there is no engine.
 *
 *   node --cpu-prof bench/baselines/rooms.ts <port> <command> [args...]
 */
import { spawn } from 'node:child_process';
import { createApp, listen, mcpError, mcpRoute } from '../../orchestrator/http/index.ts';
import { Facts, systemClock } from '../../orchestrator/kernel/index.ts';
import { type Attachment, attachChannel, Replica } from '../../orchestrator/replica/index.ts';
import { Breaker } from '../../orchestrator/resilience/index.ts';
import { Router } from '../../orchestrator/routing/index.ts';
import {
  type EncodeError,
  MemoryEventLog,
  Sessions,
  StatelessCalls,
} from '../../orchestrator/session/index.ts';
import { countFacts, logFacts } from '../../orchestrator/telemetry/index.ts';
import { fakeControls } from '../../test/fakes/controls.ts';
import { FakePools, TEST_SPEC } from '../../test/fakes/fake-pools.ts';
import { testEndpoints } from '../../test/fakes/test-endpoints.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const [port = '0', command = '', ...args] = process.argv.slice(2);
const clock = systemClock;
const facts = new Facts();
countFacts(facts);
logFacts(facts, { level: 'info', clock });

const timeouts = {
  ...TEST_SPEC.timeouts,
  readyMs: 10_000,
  callTimeoutMs: 60_000,
  maxCallMs: 600_000,
  sessionIdleMs: 600_000,
};
const pools = new FakePools({ ...TEST_SPEC, name: 'echo', sharing: 'shared', timeouts });
const replica = new Replica({
  identity: {
    server: 'echo',
    id: 'echo-1',
    generation: 1,
    containerId: '',
    heldBy: 'pool',
    restarts: 0,
    startedAt: '',
  },
  channel: attachChannel({ attachment: childAttachment(), clock, maxLineBytes: 2 ** 24 }),
  facts,
  clock,
  breaker: new Breaker({ policy: () => TEST_SPEC.breaker, clock, random: Math.random }),
});
pools.pool.push(replica);
await replica.greet(timeouts.readyMs);

const router = new Router({ pools, clock, facts, random: Math.random });
const encodeError: EncodeError = (id, error) => JSON.stringify(mcpError(error, id).body);
const endpoints = testEndpoints(router, pools, clock);
const sessions = new Sessions({ endpoints, clock, facts, encodeError, log: new MemoryEventLog({ clock }) });
const stateless = new StatelessCalls({ router, clock, facts, encodeError });
const checkServer = (name: string): void => void router.spec(name);
const mcp = mcpRoute({ sessions, stateless, maxBodyBytes: MAX_BODY_BYTES, checkServer });
await listen(createApp(fakeControls({ facts, mcp, maxBodyBytes: MAX_BODY_BYTES })), {
  host: '127.0.0.1',
  port: Number(port),
});
process.stdout.write('listening\n');
process.once('SIGTERM', () => process.exit(0));

function childAttachment(): Attachment {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  return {
    write: async (bytes) => void child.stdin.write(bytes),
    onStdout: (listener) => void child.stdout.on('data', listener),
    onStderr: (listener) => void child.stderr.on('data', listener),
    end: () => void child.stdin.end(),
    destroy: () => void child.kill(),
    closed: new Promise((resolve) => child.once('close', () => resolve({ error: null }))),
  };
}
