import { createServer } from 'node:net';
import test from 'ava';
import { RedisEraMemory } from '../../orchestrator/registry/index.ts';
import { eraMemoryContract } from '../contracts/era-memory.ts';

// What needs no Redis: how the memory behaves without one. The contract runs against a real one in test/e2e.

/** An address where nothing listens. */
async function nowhere(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `redis://:secret-word@127.0.0.1:${port}/0`;
}

eraMemoryContract(test, {
  name: 'redis that is away',
  open: async () => {
    const memory = new RedisEraMemory({ url: await nowhere(), timeoutMs: 200 });
    return { memory, close: () => memory.close() };
  },
});

test('that verdicts are not stored is told once, without the password', async (t) => {
  const told: string[] = [];
  const url = await nowhere();
  const memory = new RedisEraMemory({ url, timeoutMs: 200, onTrouble: (message) => told.push(message) });
  t.teardown(() => memory.close());
  await memory.get('a');
  await memory.put('a', { era: 'both', mixed: false });
  await memory.put('b', { era: 'legacy', mixed: false });
  t.is(told.length, 1);
  t.notRegex(told.join(), /secret-word/);
});
