import test from 'ava';
import { type Listening, listen } from '../../orchestrator/http/index.ts';
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

test('a port that another program has really taken is told, the others answer, and it opens once it is free', async (t) => {
  const host = '127.0.0.1';
  const other = await listen((_request, response) => response.end('another program'), { host, port: 0 });
  const free = await listen(() => {}, { host, port: 0 });
  await free.close(0);
  const troubles: string[] = [];
  const ports = new ServerPorts({
    open: ({ name }, port) => listen((_request, response) => response.end(name), { host, port }),
    onTrouble: (message) => troubles.push(message),
  });
  t.teardown(() => ports.close(0));
  const answerAt = async (port: number) => (await fetch(`http://${host}:${port}/`)).text();

  const specs = [spec('a', other.port), spec('b', free.port)];
  await ports.apply(specs);
  t.is(await answerAt(free.port), 'b');
  t.is(await answerAt(other.port), 'another program');
  t.is(troubles.length, 1);
  t.regex(troubles[0] ?? '', new RegExp(`^Port ${other.port} of server a cannot be opened: .*EADDRINUSE`));
  await other.close(0);
  await ports.apply(specs);
  t.is(await answerAt(other.port), 'a');
});
