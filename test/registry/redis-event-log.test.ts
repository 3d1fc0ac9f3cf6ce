import { createServer } from 'node:net';
import test from 'ava';
import { RedisEventLog } from '../../orchestrator/registry/index.ts';

// What needs no Redis: how the log behaves without one. The contract runs against a real one in test/e2e.

test('without a Redis nothing waits, nothing throws, and the loss is told once without the password', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const told: string[] = [];
  const log = new RedisEventLog({
    url: `redis://:secret-word@127.0.0.1:${port}/0`,
    keptMs: 1000,
    timeoutMs: 200,
    onTrouble: (message) => told.push(message),
  });
  t.teardown(() => log.close());
  for (let seq = 1; seq <= 100; seq++) log.append('a', { seq, message: 'x' });
  await t.throwsAsync(log.since('a', 0));
  log.append('a', { seq: 101, message: 'x' });
  log.drop('a');
  await t.throwsAsync(log.since('a', 0));
  t.is(told.length, 1);
  t.notRegex(told.join(), /secret-word/);
});

test('a Redis that does not answer holds only so much of our memory', async (t) => {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => sockets.add(socket.resume()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const told: string[] = [];
  const log = new RedisEventLog({
    url: `redis://127.0.0.1:${port}/0`,
    keptMs: 1000,
    onTrouble: (message) => told.push(message),
  });
  t.teardown(async () => {
    await log.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const message = 'x'.repeat(4 * 1024 * 1024);
  for (let seq = 1; seq <= 9; seq++) log.append('a', { seq, message });
  t.is(told.length, 1);
  t.regex(told[0] ?? '', /does not keep up/);
});
