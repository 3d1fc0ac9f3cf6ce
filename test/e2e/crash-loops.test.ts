import test from 'ava';
import { RedisMeshStore } from '../../orchestrator/registry/index.ts';
import { HostOrchestrator } from '../chaos/host-orchestrator.ts';
import { dockerInside, type Server } from './harness.ts';
import { imageOf } from './own-server.ts';
import { until } from './until.ts';

type Stored = {
  readonly places: Readonly<
    Record<
      string,
      {
        readonly breaker: { readonly state: string; readonly openings: number };
        readonly failures: { readonly consecutiveFailures: number; readonly inCrashLoop: boolean };
        readonly waiting: { readonly at: number } | null;
      }
    >
  >;
};

let mesh: HostOrchestrator;

test.before(async (t) => {
  t.timeout(120_000);
  mesh = await HostOrchestrator.start({});
});
test.after.always(async (t) => {
  t.timeout(60_000);
  await mesh?.end();
});

test('a crash loop outlives kills of the orchestrator: nothing is started before its time, and then it has to answer a probe', async (t) => {
  t.timeout(280_000);
  const image = await imageOf('plain');
  const redis = registry();
  t.teardown(() => redis.close());
  const stored = async (): Promise<Stored['places'][string] | undefined> =>
    ((await redis.kept('breakers')).get('flaky') as Stored | undefined)?.places[1];

  // It serves for three seconds and dies, until somebody leaves a file on its volume.
  const program = 'python3 /opt/fixtures/plain.py';
  const command = ['sh', '-c', `test -e /data/ok && exec ${program}; timeout 3 ${program}; exit 3`];
  const made = await mesh.api('POST', '/api/v1/servers', {
    name: 'flaky',
    image,
    command,
    sharing: 'shared',
    data: '/data',
  });
  t.is(made.status, 202, JSON.stringify(made.json));
  const loop = await until(
    'it is a crash loop',
    async () => {
      const now = await flaky();
      return now.reason?.code === 'crash_loop' && now;
    },
    { timeoutMs: 120_000 },
  );
  t.is(loop.state, 'failed');
  const nextTryAt = Date.parse(loop.nextTryAt ?? '');
  await until('the registry has it', async () => (await stored())?.waiting?.at === nextTryAt);
  t.like(await stored(), {
    breaker: { state: 'open' },
    failures: { consecutiveFailures: 5, inCrashLoop: true },
  });

  const since = Date.now();
  for (let kill = 1; kill <= 2; kill++) {
    await mesh.signal('SIGKILL');
    mesh.launch();
    const now = await until('it answers again', flaky);
    t.like(now, { state: 'failed', nextTryAt: loop.nextTryAt });
    t.is(now.reason?.code, 'crash_loop');
    t.regex(await mesh.metrics(), /^gantry_breaker_state\{server="flaky",guards="calls",state="open"\} 1$/m);
  }
  t.deepEqual(await createdSince(since), []);
  t.deepEqual(await mesh.containers('flaky'), []);
  t.true(Date.now() < nextTryAt, 'this test was too slow to show anything');
  t.like(await stored(), { breaker: { state: 'open' }, waiting: { at: nextTryAt } });

  const [volume = ''] = (
    await dockerInside('volume', 'ls', '-q', '--filter', `label=gantry.owner=${mesh.owner}`)
  ).split('\n');
  await dockerInside('run', '--rm', '-v', `${volume}:/data`, image, 'touch', '/data/ok');
  await until('it is ready', async () => (await flaky()).state === 'ready', { timeoutMs: 120_000 });
  const [id = '', ...others] = await mesh.containers('flaky');
  t.deepEqual(others, []);
  const created = await dockerInside('inspect', '--format', '{{.Created}}', id);
  t.true(Date.parse(created.trim()) >= nextTryAt, created);
  const metrics = await mesh.metrics();
  t.regex(metrics, /^gantry_breaker_state\{server="flaky",guards="calls",state="closed"\} 1$/m);
  t.regex(metrics, /^gantry_probes_total\{server="flaky",outcome="answered"\} [1-9]/m);
  await until('the registry has it', async () => (await stored())?.breaker.state === 'closed');
  t.like(await stored(), { breaker: { openings: 0 }, failures: { consecutiveFailures: 5 }, waiting: null });
  const shown = [...(await redis.held('replicas')).values()].flatMap((records) => [...records.values()]);
  t.like(shown.at(-1), { server: 'flaky', state: 'ready', breaker: 'closed' });
});

/** @throws Error while the orchestrator does not answer */
async function flaky(): Promise<Server> {
  const { status, json } = await mesh.api<Server>('GET', '/api/v1/servers/flaky');
  if (status !== 200) throw new Error(`${status}`);
  return json;
}

/** The times at which the engine made a container of it, of its last 256 events: it keeps no more. */
async function createdSince(sinceMs: number): Promise<readonly string[]> {
  const listed = await dockerInside(
    'events',
    ...['--since', String(Math.floor(sinceMs / 1000)), '--until', String(Math.ceil(Date.now() / 1000))],
    ...['--filter', 'type=container', '--filter', 'event=create'],
    ...['--filter', `label=gantry.owner=${mesh.owner}`, '--filter', 'label=gantry.server=flaky'],
    ...['--format', '{{.TimeNano}}'],
  );
  return listed.split('\n').filter((line) => line !== '');
}

/** Of the orchestrator on this host: in the stack's own database, under its owner. */
function registry(): RedisMeshStore {
  const url = new URL(process.env.GANTRY_TEST_REDIS_URL ?? '');
  url.pathname = '/0';
  return new RedisMeshStore({ url: url.href, keyPrefix: `${mesh.owner}:` });
}
