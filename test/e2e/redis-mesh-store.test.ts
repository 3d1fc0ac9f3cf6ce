import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Redis } from 'ioredis';
import { RedisMeshStore } from '../../orchestrator/registry/index.ts';
import { meshStoreContract } from '../contracts/mesh-store.ts';

const url = process.env.GANTRY_TEST_REDIS_URL;
if (url === undefined || url === '') {
  throw new Error('GANTRY_TEST_REDIS_URL must name a real Redis: run npm test');
}

const keyPrefix = (): string => `gantry-test-${randomBytes(6).toString('hex')}:`;

meshStoreContract(test, {
  name: 'redis',
  open: async () => {
    const store = new RedisMeshStore({ url, keyPrefix: keyPrefix() });
    // Time in Redis cannot be turned: here it really passes.
    return { store, pass: (ms) => pause(ms), close: () => store.close() };
  },
});

test('records outlive the store that wrote them, and one that cannot be read is told and left out', async (t) => {
  const prefix = keyPrefix();
  const first = new RedisMeshStore({ url, keyPrefix: prefix });
  await first.keep('intents', { put: new Map([['a', { stopped: true }]]), remove: [] });
  await first.close();
  const redis = new Redis(url);
  await redis.hset(`${prefix}intents`, 'half', '{"stopped":');
  await redis.quit();
  const told: string[] = [];
  const second = new RedisMeshStore({ url, keyPrefix: prefix, onTrouble: (message) => told.push(message) });
  t.teardown(() => second.close());
  t.deepEqual(await second.kept('intents'), new Map([['a', { stopped: true }]]));
  t.is(told.length, 1);
  t.regex(told[0] ?? '', /half/);
});
