import { randomBytes } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test from 'ava';
import { Redis } from 'ioredis';
import { RedisEraMemory } from '../../orchestrator/registry/index.ts';
import { eraMemoryContract } from '../contracts/era-memory.ts';
import { until } from './until.ts';

const url = process.env.GANTRY_TEST_REDIS_URL;
if (url === undefined || url === '') {
  throw new Error(
    'GANTRY_TEST_REDIS_URL must name a real Redis, such as redis://:password@127.0.0.1:6379/0: run npm test',
  );
}

const family = `gantry-test-${randomBytes(4).toString('hex')}:`;
const redis = new Redis(url);
const both = { era: 'both', mixed: true } as const;

function uniquePrefix(): string {
  return `${family}${randomBytes(4).toString('hex')}:`;
}

eraMemoryContract(test, {
  name: 'redis',
  open: async () => {
    const memory = new RedisEraMemory({ url, keyPrefix: uniquePrefix() });
    return { memory, close: () => memory.close() };
  },
});

test('a verdict outlives the process that found it, and expires when nobody needs it for months', async (t) => {
  const keyPrefix = uniquePrefix();
  const first = new RedisEraMemory({ url, keyPrefix });
  await first.put('a', both);
  await first.close();
  const second = new RedisEraMemory({ url, keyPrefix });
  t.teardown(() => second.close());
  t.deepEqual(await second.get('a'), both);
  const leftDays = (await redis.ttl(`${keyPrefix}a`)) / (24 * 3600);
  t.true(leftDays > 89 && leftDays <= 90, `${leftDays} days`);
});

test('what is stored and is no verdict counts as nothing, and is replaced', async (t) => {
  const keyPrefix = uniquePrefix();
  const memory = new RedisEraMemory({ url, keyPrefix });
  t.teardown(() => memory.close());
  for (const text of ['', 'null', '{}', '{"era":"ancient","mixed":true}', '{"era":"both"}']) {
    await redis.set(`${keyPrefix}a`, text);
    t.is(await memory.get('a'), null, text);
  }
  await memory.put('a', both);
  t.deepEqual(JSON.parse((await redis.get(`${keyPrefix}a`)) ?? ''), both);
});

test('what was found while Redis was away is stored when it is back', async (t) => {
  const keyPrefix = uniquePrefix();
  const way = await interruptible(new URL(url));
  t.teardown(way.close);
  const memory = new RedisEraMemory({ url: way.url, keyPrefix, timeoutMs: 500 });
  t.teardown(() => memory.close());
  t.is(await memory.get('a'), null);
  way.cut();
  await memory.put('a', both);
  t.deepEqual(await memory.get('a'), both, 'memory serves meanwhile');
  t.is(await redis.get(`${keyPrefix}a`), null);
  way.mend();
  await until('the verdict is stored', async () => {
    await memory.get('a');
    return (await redis.get(`${keyPrefix}a`)) !== null;
  });
});

/** A relay to Redis that can be interrupted. */
async function interruptible(to: URL): Promise<{
  readonly url: string;
  cut(): void;
  mend(): void;
  close(): void;
}> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = connect(Number(to.port), to.hostname);
    for (const [from, onto] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(onto);
      from.on('error', () => onto.destroy());
      from.on('close', () => onto.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const way = new URL(to);
  way.hostname = '127.0.0.1';
  way.port = String((server.address() as AddressInfo).port);
  return {
    url: way.href,
    cut() {
      isCut = true;
      drop();
    },
    mend() {
      isCut = false;
    },
    close() {
      drop();
      server.close();
    },
  };
}

test.after.always('the keys of this run are removed', async () => {
  const keys = await redis.keys(`${family}*`);
  if (keys.length > 0) await redis.del(...keys);
  await redis.quit();
});
