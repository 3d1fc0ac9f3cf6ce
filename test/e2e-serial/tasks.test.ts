import test from 'ava';
import { Redis } from 'ioredis';
import { streamOf, TASK_LIMITS } from '../../orchestrator/bus/index.ts';
import type { TaskRecord } from '../../orchestrator/kernel/index.ts';
import { RedisTaskStore } from '../../orchestrator/registry/index.ts';
import { HostOrchestrator } from '../chaos/host-orchestrator.ts';
import { compose, type Json, type ToolResult, textOf } from '../e2e/harness.ts';
import { imageOf, uniqueName } from '../e2e/own-server.ts';
import { until } from '../e2e/until.ts';

const TASKS = 10_000;
const IN_A_BATCH = 250;
/** Each is executed for so long: then there is something in hand whenever something breaks. */
const MS = 20;
/** At how many open tasks the orchestrator is killed. The first time is while they are still being enqueued. */
const KILLS = [2000, 8000, 6500, 5000, 3500];
const REDIS_RESTART = 2000;
const SERVER = 'ledger';

let mesh: HostOrchestrator;
let url: URL;

test.before(async (t) => {
  t.timeout(180_000);
  url = new URL(process.env.GANTRY_TEST_REDIS_URL ?? '');
  url.pathname = '/0'; // that of orchestrators; the tests' own is another one
  mesh = await HostOrchestrator.start({
    [SERVER]: {
      image: await imageOf('plain'),
      command: ['python3', '/opt/fixtures/ledger.py'],
      ...{ sharing: 'shared', data: '/data', replicas: 2 },
      resources: { memory: '128MiB', cpus: 1, pids: 256 },
    },
  });
});
test.after.always(async () => {
  await mesh?.end();
  const redis = new Redis(url.href);
  const keys = await redis.keys(`${mesh.owner}:*`);
  if (keys.length > 0) await redis.unlink(...keys);
  await redis.quit();
});

const openTasks = (store: RedisTaskStore) => store.usage().then(({ open, dead }) => open - dead);

/** As a client does that wants them executed once: the same batch with the same keys until it is taken. */
async function enqueueAll(markers: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let from = 0; from < markers.length; from += IN_A_BATCH) {
    const tasks = markers.slice(from, from + IN_A_BATCH).map((marker, index) => ({
      ...{ task_type: `${SERVER}/${index % 2 === 0 ? 'note' : 'note_once'}`, payload: { marker, ms: MS } },
      idempotency_key: marker,
    }));
    const taken = await until(
      'a batch is taken',
      async () => {
        const answer = await mesh.api<{ tasks: { task_id: string }[] }>(
          'POST',
          '/api/v1/mesh/v2/enqueue/batch',
          {
            tasks,
          },
        );
        if (answer.status !== 200) throw new Error(JSON.stringify(answer.json));
        return answer.json.tasks;
      },
      { timeoutMs: 60_000 },
    );
    ids.push(...taken.map(({ task_id }) => task_id));
  }
  return ids;
}

async function killAndStart(): Promise<void> {
  await mesh.signal('SIGKILL');
  mesh.launch();
}

/** How many calls the server has answered, by the orchestrator's own count. */
async function answered(): Promise<number> {
  const row = /^gantry_calls_total\{server="ledger",method="tools\/call",outcome="ok"\} (\d+)$/m;
  return Number(row.exec(await mesh.metrics())?.[1] ?? 0);
}

async function executions(): Promise<ReadonlyMap<string, number>> {
  const { json } = await mesh.api<ToolResult>('POST', `/api/v1/servers/${SERVER}/tools/executions`, {});
  const lines = textOf(json).split('\n');
  return new Map([...Map.groupBy(lines, (line) => line)].map(([line, all]) => [line, all.length]));
}

test.serial(
  'ten thousand tasks, five kills of the orchestrator and a restart of Redis: nothing is lost, nothing doubled',
  async (t) => {
    t.timeout(280_000);
    const store = new RedisTaskStore({
      url: url.href,
      keyPrefix: `${mesh.owner}:`,
      limits: TASK_LIMITS,
      streamOf,
    });
    t.teardown(() => store.close());
    const run = uniqueName('run');
    const markers = Array.from({ length: TASKS }, (_, index) => `${run}-${index}`);
    const enqueued = enqueueAll(markers);
    const [first = 0, ...later] = KILLS;
    await until('some are enqueued', async () => (await openTasks(store)) >= first);
    await killAndStart();
    const ids = await enqueued;
    t.is(new Set(ids).size, TASKS);
    const reached = (most: number) =>
      until(`at most ${most} are open`, async () => (await openTasks(store)) <= most, { timeoutMs: 120_000 });
    for (const open of later) {
      await reached(open);
      await killAndStart();
    }
    await reached(REDIS_RESTART);
    await compose('restart', 'redis');
    await reached(0);

    const records: TaskRecord[] = [];
    for (let from = 0; from < TASKS; from += 500) {
      const some = await Promise.all(ids.slice(from, from + 500).map((id) => store.task(id)));
      records.push(...some.flatMap((record) => record ?? []));
    }
    t.is(records.length, TASKS, 'none is lost');
    const executed = await executions();
    const wrong: unknown[] = [];
    let dead = 0;
    let again = 0;
    for (const [index, { state, reason, outcome }] of records.entries()) {
      const times = executed.get(markers[index] ?? '') ?? 0;
      const mayRunTwice = index % 2 === 0;
      again += mayRunTwice && times > 1 ? 1 : 0;
      dead += state === 'dead' ? 1 : 0;
      const isDone = state === 'done' && times >= 1 && outcome?.includes(`"${markers[index]}"`);
      const isGivenUp = state === 'dead' && reason === 'may_have_run' && !mayRunTwice;
      const isDoubled = times > 1 && !mayRunTwice;
      if (!(isDone || isGivenUp) || isDoubled) wrong.push([markers[index], state, reason, times]);
    }
    t.deepEqual(wrong, []);
    const redis = new Redis(url.href);
    t.is(await redis.xlen(`${mesh.owner}:stream:results:mcp`), TASKS - dead, 'one result of each');
    t.is(await redis.xlen(`${mesh.owner}:stream:dead:mcp`), dead);
    await redis.quit();
    t.log(`${TASKS} tasks: ${TASKS - dead} done, ${dead} dead letters, ${again} that may run twice did`);
  },
);

test.serial(
  'without Redis tasks are refused, with when to come back, and what is executed is not forgotten',
  async (t) => {
    t.timeout(120_000);
    const body = (marker: string): Json => ({
      task_type: `${SERVER}/note_once`,
      payload: { marker, ms: 1500 },
    });
    const marker = uniqueName('away');
    type Accepted = { readonly task_id: string; readonly status: string };
    const { json } = await mesh.api<Accepted>('POST', '/api/v1/mesh/v2/enqueue', body(marker));
    const path = `/api/v1/mesh/v2/task/${json.task_id}`;
    const before = await answered();
    await until('it runs', async () => (await mesh.api<Accepted>('GET', path)).json.status === 'running');
    mesh.redis.refuse(true);
    mesh.redis.resetAll();
    const routes: readonly [string, string, Json?][] = [
      ['POST', '/api/v1/mesh/v2/enqueue', body('never')],
      ['POST', '/api/v1/mesh/enqueue', { topic: 'mail', task: {} }],
      ['GET', path],
      ['GET', '/api/v1/mesh/results?topic=mcp'],
      ['GET', '/api/v1/mesh/dead?topic=mcp'],
      ['POST', '/api/v1/mesh/dead/x/replay'],
      ['GET', '/api/v1/mesh/agents'],
      ['POST', '/api/v1/mesh/agents/x/heartbeat', { agent_type: 'x' }],
      ['POST', '/api/v1/mesh/claim', { topic: 'mail', agent_id: 'x' }],
    ];
    for (const [method, route, sent] of routes) {
      const answer = await mesh.api<{ error: Json }>(method, route, sent);
      t.is(answer.status, 503, route);
      t.like(answer.json.error, { code: 'registry_unavailable', detail: { retryAfterMs: 1000 } });
    }
    await until('it is over, and nobody can be told', async () => (await answered()) > before);
    mesh.redis.refuse(false);
    await until('it is done', async () => (await mesh.api<Accepted>('GET', path)).json.status === 'done');
    t.is((await executions()).get(marker), 1);
  },
);
