import test from 'ava';
import { api, containersOf, expectStatus, metric, type Server, server } from './harness.ts';
import { openSession } from './mcp-session.ts';
import { untilReady } from './own-server.ts';
import { until } from './until.ts';
import { allReady, ask, askModern, closedLoop, hostsOf, resultOf, tally, workers } from './workers.ts';

type Balanced = Server & { readonly callsQueued: number; readonly balance: { readonly strategy: string } };

test.before(async (t) => {
  t.timeout(300_000);
  await untilReady('plain', 290_000);
});

const patch = (name: string, balance: object) =>
  expectStatus(202, api('PATCH', `/api/v1/servers/${name}`, { body: { balance } }));
const queued = async (name: string): Promise<number> => ((await server(name)) as Balanced).callsQueued;

test('calls over REST, in sessions and without any are spread over four containers, as these say themselves', async (t) => {
  t.timeout(280_000);
  const name = await workers(t, 4);
  const hosts = await hostsOf(name);
  t.is(new Set(hosts).size, 4);
  const even = Object.fromEntries(hosts.map((host) => [host, 2]));
  const session = await openSession(t, name);
  const kinds: Record<string, () => Promise<string>> = {
    rest: async () => resultOf(await ask(name, 'host')),
    session: async () => {
      const { result } = await session.call(crypto.randomUUID(), 'host');
      return resultOf({ status: 200, headers: {}, text: JSON.stringify(result) });
    },
  };
  for (const [kind, call] of Object.entries(kinds))
    t.deepEqual(tally(await closedLoop(8, 1, call)), even, kind);
  // The first one of these asks for the server's tools too, so it is not quite even.
  const modern = tally(await closedLoop(8, 1, () => askModern(name, 'host')));
  t.deepEqual(Object.keys(modern).sort(), hosts);
  for (const { replica } of await containersOf(name)) {
    const picks = await metric('gantry_picks_total', `replica="${replica}"`);
    t.true(picks >= 6 && picks <= 7, `${replica} ${picks}`);
  }
});

test('least connections leaves a slow replica with less, and another strategy shows in the spread at once', async (t) => {
  t.timeout(280_000);
  const name = await workers(t, 4);
  const before = (await containersOf(name)).map(({ id }) => id).sort();
  const [slow = '', ...quick] = await hostsOf(name);
  t.is(resultOf(await ask(name, 'slow_down', { host: slow })), 'slowed');
  const spread = async () => {
    const call = async () => resultOf(await ask(name, 'work', { ms: 100 }));
    return tally(await closedLoop(80, 8, call));
  };
  const least = await spread();
  t.true((least[slow] ?? 0) <= 12, JSON.stringify(least));
  for (const host of quick) t.true((least[host] ?? 0) >= 18, JSON.stringify(least));

  await patch(name, { strategy: 'round_robin' });
  t.is(((await server(name)) as Balanced).balance.strategy, 'round_robin');
  const turns = await spread();
  for (const host of [slow, ...quick]) t.is(turns[host], 20, JSON.stringify(turns));

  await patch(name, { strategy: 'consistent_hash' });
  const hashed = tally(await closedLoop(8, 4, async () => resultOf(await ask(name, 'host'))));
  t.is(Object.keys(hashed).length, 1, 'all calls are of the one principal');

  await patch(name, { strategy: 'weighted', weights: { 1: 5 } });
  const weighted = tally(await closedLoop(16, 1, async () => resultOf(await ask(name, 'host'))));
  t.deepEqual(
    Object.values(weighted).sort((a, b) => b - a),
    [10, 2, 2, 2],
  );
  t.deepEqual((await containersOf(name)).map(({ id }) => id).sort(), before, 'no container was replaced');
});

test('beyond its limit calls wait, a full queue is 429 and a long wait 503, both with Retry-After', async (t) => {
  t.timeout(280_000);
  const name = await workers(t, 1, { balance: { maxInFlight: 1, queueSize: 2, queueTimeoutMs: 5000 } });
  const busy = ask(name, 'work', { ms: 12_000 });
  await until('it works', async () => (await metric('gantry_picks_total', `server="${name}"`)) === 1);
  const waiting = [ask(name, 'host'), ask(name, 'host')];
  await until('two wait', async () => (await queued(name)) === 2);
  t.is(await metric('gantry_queue_length', `server="${name}"`), 2);
  const full = await ask(name, 'host');
  t.is(full.status, 429, full.text);
  t.regex(full.text, /"code":"queue_full"/);
  for (const answer of await Promise.all(waiting)) {
    t.is(answer.status, 503, answer.text);
    t.regex(answer.text, /"code":"no_replica".*queueTimeoutMs/);
    t.is(answer.headers['retry-after'], '1');
  }
  t.is(full.headers['retry-after'], '1');
  t.is((await busy).status, 200);
  t.is(await metric('gantry_queue_length', `server="${name}"`), 0);
  const refused = (why: string) => metric('gantry_calls_refused_total', `server="${name}"`, `why="${why}"`);
  t.is(await refused('queue_full'), 1);
  t.is(await refused('queue_timeout'), 2);
  t.is(await metric('gantry_queue_wait_seconds_count', `server="${name}"`, 'outcome="timed_out"'), 2);
});

test('a call whose client leaves while it waits is gone from the queue at once, and never runs', async (t) => {
  t.timeout(280_000);
  const name = await workers(t, 1, { balance: { maxInFlight: 1, queueTimeoutMs: 60_000 } });
  const busy = ask(name, 'work', { ms: 4000 });
  await until('it works', async () => (await metric('gantry_picks_total', `server="${name}"`)) === 1);
  const leaving = new AbortController();
  const url = new URL(`/api/v1/servers/${name}/tools/host`, process.env.GANTRY_TEST_URL);
  const left = fetch(url, { method: 'POST', signal: leaving.signal }).then(
    () => 'answered',
    () => 'left',
  );
  await until('it waits', async () => (await queued(name)) === 1);
  leaving.abort();
  t.is(await left, 'left');
  await until('nobody waits', async () => (await queued(name)) === 0);
  t.is(await metric('gantry_queue_wait_seconds_count', `server="${name}"`, 'outcome="cancelled"'), 1);
  t.is((await busy).status, 200);
  t.is(await metric('gantry_picks_total', `server="${name}"`), 1);
});

test('a flood of one session does not starve another one: they take turns', async (t) => {
  t.timeout(280_000);
  const name = await workers(t, 1, { balance: { maxInFlight: 1, queueTimeoutMs: 60_000 } });
  const [flooding, other] = [await openSession(t, name), await openSession(t, name)];
  const answered: string[] = [];
  const call = async (who: typeof other, label: string, id: number) => {
    const { error } = await who.call(id, 'work', { ms: 400 });
    t.is(error, undefined);
    answered.push(label);
  };
  const flood = Array.from({ length: 24 }, (_, id) => call(flooding, 'flood', id));
  await until('the flood waits', async () => (await queued(name)) >= 12);
  const before = answered.length;
  await Promise.all([call(other, 'other', 0), call(other, 'other', 1)]);
  const since = answered.slice(before);
  // At most the one that was running, those that were answered while we asked, and one between the two.
  t.true(since.lastIndexOf('other') <= 6, since.join(' '));
  await Promise.all(flood);
  t.is(answered.length, 26);
});

test('a limit raised at run time lets those in who wait already', async (t) => {
  t.timeout(280_000);
  const name = await workers(t, 2, { balance: { maxInFlight: 1, queueTimeoutMs: 60_000 } });
  const busy = [ask(name, 'work', { ms: 8000 }), ask(name, 'work', { ms: 8000 })];
  await until('both work', async () => (await metric('gantry_picks_total', `server="${name}"`)) === 2);
  const waiting = ask(name, 'host');
  await until('one waits', async () => (await queued(name)) === 1);
  await patch(name, { maxInFlight: 2 });
  t.is((await waiting).status, 200);
  t.is((await server(name)).replicas.ready, 2);
  const first = await Promise.race([...busy, Promise.resolve('still busy')]);
  t.is(first, 'still busy', 'it did not wait for the others');
  await Promise.all(busy);
  await allReady(name, 2);
});
