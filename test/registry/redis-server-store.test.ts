import { createServer, type Server, type Socket } from 'node:net';
import test from 'ava';
import { RedisServerStore } from '../../orchestrator/registry/index.ts';

// What needs no Redis: how the store behaves without one. The contract runs against a real one in test/e2e.

async function listening(onSocket: (socket: Socket) => void): Promise<{ server: Server; url: string }> {
  const server = createServer(onSocket);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, url: `redis://:secret-word@127.0.0.1:${address.port}/0` };
}

test('without a Redis every call is refused soon, and no message holds the password', async (t) => {
  const { server, url } = await listening(() => {});
  await new Promise((resolve) => server.close(resolve));
  const store = new RedisServerStore({ url, timeoutMs: 500 });
  t.teardown(() => store.close());
  for (const call of [() => store.list(), () => store.ping(), () => store.putResolved('a', '1')]) {
    const error = await t.throwsAsync(call, { name: 'GantryError' });
    t.is((error as { code?: string } | undefined)?.code, 'registry_unavailable');
    const shown = JSON.stringify([
      error?.message,
      String(error?.cause),
      (error as { detail?: unknown } | undefined)?.detail,
    ]);
    t.false(shown.includes('secret-word'), shown);
  }
});

test('a Redis that takes the connection and never answers is given up after the timeout', async (t) => {
  const { server, url } = await listening(() => {});
  const store = new RedisServerStore({ url, timeoutMs: 200 });
  t.teardown(async () => {
    await store.close();
    server.close();
  });
  const before = performance.now();
  await t.throwsAsync(store.ping(), { name: 'GantryError' });
  t.true(performance.now() - before < 5000);
});

test('a store that was never used closes at once', async (t) => {
  const store = new RedisServerStore({ url: 'redis://127.0.0.1:1/0' });
  await store.close();
  await t.throwsAsync(store.ping(), { name: 'GantryError', message: /does not answer/ });
});
