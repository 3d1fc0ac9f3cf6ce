import test from 'ava';
import type { Listening } from '../../orchestrator/http/index.ts';
import type { ServerSpec } from '../../orchestrator/kernel/index.ts';
import { ServerPorts } from '../../orchestrator/server-ports.ts';
import { TEST_SPEC } from '../fakes/fake-pools.ts';

function spec(name: string, port: number | null): ServerSpec {
  return { ...TEST_SPEC, name, port };
}

/** Ports that open at once, but for those that are taken, and what happened to them. */
function rig(...taken: number[]) {
  const events: string[] = [];
  const troubles: string[] = [];
  const ports = new ServerPorts({
    open: async ({ name }, port) => {
      if (taken.includes(port)) throw new Error('taken');
      events.push(`open ${name} ${port}`);
      const close = async (drainMs: number): Promise<void> => void events.push(`close ${port} ${drainMs}`);
      return { url: '', port, close } as unknown as Listening;
    },
    onTrouble: (message) => troubles.push(message),
  });
  return { ports, events, troubles };
}

test('only what differs is opened and closed', async (t) => {
  const { ports, events } = rig();
  await ports.apply([spec('a', 3001), spec('b', 3002), spec('c', null)]);
  await ports.apply([spec('a', 3001), spec('b', 3003)]);
  t.deepEqual(events, ['open a 3001', 'open b 3002', 'close 3002 0', 'open b 3003']);
});

test('servers may swap ports', async (t) => {
  const { ports, events } = rig();
  await ports.apply([spec('a', 3001), spec('b', 3002)]);
  events.length = 0;
  await ports.apply([spec('a', 3002), spec('b', 3001)]);
  t.deepEqual(events, ['close 3001 0', 'close 3002 0', 'open a 3002', 'open b 3001']);
});

test('a port that cannot be opened is told and stops nothing else', async (t) => {
  const { ports, events, troubles } = rig(3001);
  await ports.apply([spec('a', 3001), spec('b', 3002)]);
  t.deepEqual(events, ['open b 3002']);
  t.deepEqual(troubles, ['Port 3001 of server a cannot be opened: taken']);
});

test('the end closes all of them with the time to drain', async (t) => {
  const { ports, events } = rig();
  await ports.apply([spec('a', 3001), spec('b', 3002)]);
  await ports.close(500);
  t.deepEqual(events.slice(2), ['close 3001 500', 'close 3002 500']);
});
