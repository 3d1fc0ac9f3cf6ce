import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Redis } from 'ioredis';
import { streamOf, TASK_LIMITS } from '../../orchestrator/bus/index.ts';
import { RedisTaskStore } from '../../orchestrator/registry/index.ts';
import { taskStoreContract } from '../contracts/task-store.ts';
import { compose, dockerOnHost } from './harness.ts';

const url = process.env.GANTRY_TEST_REDIS_URL;
if (url === undefined || url === '') {
  throw new Error('GANTRY_TEST_REDIS_URL must name a real Redis: run npm test');
}

const keyPrefix = (): string => `gantry-test-${randomBytes(6).toString('hex')}:`;

taskStoreContract(test, {
  name: 'redis',
  open: async (limits) => {
    const store = new RedisTaskStore({ url, keyPrefix: keyPrefix(), limits, streamOf });
    // Time in Redis cannot be turned: here it really passes.
    return { store, pass: (ms) => pause(ms), close: () => store.close() };
  },
});

test('an entry that was written past the bus is a dead letter, and holds up nothing', async (t) => {
  const prefix = keyPrefix();
  const store = new RedisTaskStore({ url, keyPrefix: prefix, limits: TASK_LIMITS, streamOf });
  const redis = new Redis(url);
  t.teardown(() => Promise.all([store.close(), redis.quit()]));
  const task = { topic: 'mail', lane: '', priority: 0, delayMs: 0, principal: 'alice', maxAttempts: 3 };
  const more = { idempotencyKey: null, digest: '', mayRunTwice: false, json: '{}' };
  await store.enqueue([{ id: 'first', ...task, ...more }]);
  await redis.xadd(`${prefix}stream:tasks:mail`, '*', 'json', '{"from":"outside"}');
  await store.enqueue([{ id: 'second', ...task, ...more }]);
  const request = { topic: 'mail', consumer: 'one', count: 10, perLane: 10, busy: new Map(), turn: 0 };
  const claimed = await store.claim({ ...request, abandonedAfterMs: null });
  t.deepEqual(
    claimed.map(({ id }) => id),
    ['first', 'second'],
  );
  const [letter] = await store.dead('mail', 10, null);
  t.like(letter, { json: '{"from":"outside"}', reason: 'not_a_task', attempts: 0 });
  t.true(await store.replay(letter?.id ?? ''), 'whoever has looked at it may make it a task');
  const [adopted] = await store.claim({ ...request, abandonedAfterMs: null });
  t.like(adopted, { json: '{"from":"outside"}', attempts: 0, maxAttempts: 1 });
});

test('the keys are those of the earlier bus, under the owner', async (t) => {
  const prefix = keyPrefix();
  const store = new RedisTaskStore({ url, keyPrefix: prefix, limits: TASK_LIMITS, streamOf });
  const redis = new Redis(url);
  t.teardown(() => Promise.all([store.close(), redis.quit()]));
  const task = { topic: 'mail', lane: '', priority: 0, delayMs: 0, principal: 'alice', maxAttempts: 3 };
  await store.enqueue([
    { id: 'a', ...task, idempotencyKey: null, digest: '', mayRunTwice: false, json: '{"n":1}' },
  ]);
  const read = await redis.xreadgroup('GROUP', 'default', 'me', 'STREAMS', `${prefix}stream:tasks:mail`, '>');
  const [[, entries]] = read as [[string, [string, string[]][]]];
  t.deepEqual(entries[0]?.[1], ['id', 'a', 'json', '{"n":1}']);
  const keys = (await redis.keys(`${prefix}*`)).map((key) => key.slice(prefix.length)).sort();
  t.deepEqual(keys, ['stream:tasks:mail', 'task:a', 'tasks:streams:mail', 'tasks:usage']);
});

test("the stack's Redis writes to disk before it answers, and refuses what its container has no memory for", async (t) => {
  const redis = new Redis(url);
  t.teardown(() => redis.quit());
  const setting = async (name: string) => ((await redis.config('GET', name)) as string[])[1];
  t.is(await setting('appendonly'), 'yes');
  t.is(await setting('appendfsync'), 'always');
  t.is(await setting('maxmemory-policy'), 'noeviction');
  const id = (await compose('ps', '-q', 'redis')).trim();
  const limit = Number(await dockerOnHost('inspect', '-f', '{{.HostConfig.Memory}}', id));
  t.true(limit > 0);
  t.is(Number(await setting('maxmemory')), Math.floor(limit / 4) * 3);
});
