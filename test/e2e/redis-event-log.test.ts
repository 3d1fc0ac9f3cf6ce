import { randomBytes } from 'node:crypto';
import test from 'ava';
import { Redis } from 'ioredis';
import { RedisEventLog } from '../../orchestrator/registry/index.ts';
import { EVENTS_KEPT_MS, type EventLog } from '../../orchestrator/session/index.ts';
import { eventLogContract } from '../contracts/event-log.ts';
import { until } from './until.ts';

const url = process.env.GANTRY_TEST_REDIS_URL;
if (url === undefined || url === '') {
  throw new Error(
    'GANTRY_TEST_REDIS_URL must name a real Redis, such as redis://:password@127.0.0.1:6379/0: run npm test',
  );
}

const family = `gantry-test-${randomBytes(4).toString('hex')}:`;
const redis = new Redis(url);

async function openLog() {
  const keyPrefix = `${family}${randomBytes(4).toString('hex')}:`;
  const told: string[] = [];
  const redisLog = new RedisEventLog({
    url: url ?? '',
    keptMs: EVENTS_KEPT_MS,
    keyPrefix,
    onTrouble: (message) => told.push(message),
  });
  // The twin must fit the port, which its own room may not import.
  const log: EventLog = redisLog;
  // It connects by itself, and the first question that is answered shows it.
  await until('the log is connected', () => log.since('nothing', 0));
  return { log, keyPrefix, told, close: () => redisLog.close() };
}

eventLogContract(test, {
  name: 'redis',
  open: async () => {
    const { log, keyPrefix, close } = await openLog();
    // Redis has a clock of its own: instead of waiting, what is left of every key's time is taken away.
    const pass = async (ms: number): Promise<void> => {
      for (const key of await redis.keys(`${keyPrefix}*`)) {
        const leftMs = (await redis.pttl(key)) - ms;
        if (leftMs > 0) await redis.pexpire(key, Math.floor(leftMs));
        else await redis.del(key);
      }
    };
    return { log, pass, close };
  },
});

test('every key expires, also one that was only trimmed', async (t) => {
  const { log, keyPrefix, close } = await openLog();
  t.teardown(close);
  for (const seq of [1, 2, 3]) log.append('a', { seq, message: 'x' });
  log.drop('a', 2);
  await log.since('a', 0);
  const [key = ''] = await redis.keys(`${keyPrefix}*`);
  const leftMs = await redis.pttl(key);
  t.true(leftMs > EVENTS_KEPT_MS - 60_000 && leftMs <= EVENTS_KEPT_MS, `${leftMs} ms`);
});

test('messages of a stream that Redis refuses are told once, and the log goes on', async (t) => {
  const { log, keyPrefix, told, close } = await openLog();
  t.teardown(close);
  await redis.set(`${keyPrefix}a`, 'of another kind');
  for (const seq of [1, 2]) {
    log.append('a', { seq, message: 'x' });
    await t.throwsAsync(log.since('a', 0));
  }
  t.is(told.length, 1);
  t.regex(told[0] ?? '', /WRONGTYPE/);
  log.append('b', { seq: 1, message: 'x' });
  t.is((await log.since('b', 0)).length, 1);
});

test.after.always('the keys of this run are removed', async () => {
  const keys = await redis.keys(`${family}*`);
  if (keys.length > 0) await redis.del(...keys);
  await redis.quit();
});
