import { randomBytes } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test from 'ava';
import { Redis } from 'ioredis';
import { RedisServerStore } from '../../orchestrator/registry/index.ts';
import { serverStoreContract } from '../contracts/server-store.ts';
import { until } from './until.ts';

const url = process.env.GANTRY_TEST_REDIS_URL;
if (url === undefined || url === '') {
  throw new Error(
    'GANTRY_TEST_REDIS_URL must name a real Redis, such as redis://:password@127.0.0.1:6379/0: run npm test',
  );
}

const family = `gantry-test-${randomBytes(4).toString('hex')}:`;

serverStoreContract(test, {
  name: 'redis',
  open: async (now) =>
    new RedisServerStore({ url, keyPrefix: `${family}${randomBytes(4).toString('hex')}:`, clock: { now } }),
});

test('entries outlive the store that wrote them', async (t) => {
  const keyPrefix = `${family}outlive:`;
  const first = new RedisServerStore({ url, keyPrefix });
  const put = await first.put('a', { image: 'x:1' });
  await first.putResolved('npm:x', '1.0.0');
  await first.close();
  const second = new RedisServerStore({ url, keyPrefix });
  t.teardown(() => second.close());
  t.deepEqual(await second.list(), [put]);
  t.is(await second.getResolved('npm:x'), '1.0.0');
});

test('an entry that cannot be read is told and left out, the others are listed', async (t) => {
  const keyPrefix = `${family}broken:`;
  const told: string[] = [];
  const store = new RedisServerStore({ url, keyPrefix, onTrouble: (message) => told.push(message) });
  const redis = new Redis(url);
  t.teardown(async () => {
    await store.close();
    await redis.quit();
  });
  await store.put('good', { image: 'x:1' });
  await redis.hset(`${keyPrefix}servers`, { half: '{"image":', list: '[]' });
  t.deepEqual(
    (await store.list()).map(({ name }) => name),
    ['good'],
  );
  t.is(told.length, 2);
  t.true(told.every((message) => /"(half|list)"/.test(message)));
});

test('a connection that breaks is made again by itself', async (t) => {
  const proxy = await openProxy(new URL(url));
  const store = new RedisServerStore({ url: proxy.url, keyPrefix: `${family}break:` });
  t.teardown(async () => {
    await store.close();
    proxy.close();
  });
  await store.ping();
  proxy.breakAll();
  await answers(store);
  t.deepEqual(await store.list(), []);
  t.is(proxy.connections(), 2);
});

test('a Redis that comes up later than the store is used once it is there', async (t) => {
  const proxy = await openProxy(new URL(url));
  proxy.refuse(true);
  const store = new RedisServerStore({ url: proxy.url, keyPrefix: `${family}late:` });
  t.teardown(async () => {
    await store.close();
    proxy.close();
  });
  await t.throwsAsync(store.ping(), { name: 'GantryError' });
  proxy.refuse(false);
  await answers(store);
  t.deepEqual(await store.list(), []);
});

/** Calls fail fast while there is no connection; the first that succeeds shows the new one. */
async function answers(store: RedisServerStore): Promise<void> {
  await until('the store answers', () => store.ping().then(() => true));
}

/** Stands between a store and Redis, since breaking Redis itself would disturb every other test. */
async function openProxy(target: URL) {
  const open = new Set<Socket>();
  let connections = 0;
  let refusing = false;
  const server = createServer((near) => {
    if (refusing) return near.destroy();
    connections++;
    const far = connect(Number(target.port || 6379), target.hostname);
    for (const socket of [near, far]) {
      open.add(socket);
      // The break itself: the other end learns of it by the close.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => open.delete(socket));
    }
    return near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(target);
  through.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const breakAll = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: through.href,
    connections: () => connections,
    breakAll,
    refuse: (value: boolean) => {
      refusing = value;
    },
    close: () => {
      server.close();
      breakAll();
    },
  };
}

test.after.always('the keys of this run are removed', async () => {
  const redis = new Redis(url);
  const keys = await redis.keys(`${family}*`);
  if (keys.length > 0) await redis.del(...keys);
  await redis.quit();
});
