import test, { type ExecutionContext } from 'ava';
import { pinAddress } from '../../orchestrator/channel/index.ts';
import { type Clock, type ServerSpec, systemClock } from '../../orchestrator/kernel/index.ts';
import { AddressRules } from '../../orchestrator/resilience/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { RemoteServer, type RemoteServerOptions } from '../fakes/remote-server.ts';
import { rig, spec, untilReally } from './rig.ts';

function elsewhere(urls: readonly string[], more: Partial<ServerSpec> = {}): ServerSpec {
  const places = urls.map((url, index) => ({ number: index + 1, url, id: null }));
  const scaling = { max: urls.length, warm: 0, targetInFlight: 4, scaleDownAfterMs: 300_000 };
  return spec('far', {
    source: { kind: 'url', places, headers: {} },
    replicas: urls.length,
    scaling,
    sharing: 'shared',
    ...more,
  });
}

/** A mesh whose engine never comes up: servers elsewhere do not need it. */
function setUp(t: ExecutionContext, clock: Clock = systemClock) {
  const remembered = new Map<string, { era: 'legacy' | 'modern' | 'both'; mixed: boolean }>();
  const rules = new AddressRules(['127.0.0.1']);
  const { mesh } = rig({
    opened: false,
    clock,
    reach: (url) => pinAddress(url, rules),
    eras: {
      get: async (key) => remembered.get(key) ?? null,
      put: async (key, verdict) => void remembered.set(key, verdict),
    },
  });
  t.teardown(() => mesh.shutdown(0));
  return mesh;
}

async function remote(t: ExecutionContext, options: RemoteServerOptions = {}): Promise<RemoteServer> {
  const started = await RemoteServer.start(options);
  t.teardown(() => started.close());
  return started;
}

const LIMITS = { callTimeoutMs: 5000, maxCallMs: 5000 };

for (const eras of ['legacy', 'modern', 'both'] as const) {
  test(`a server elsewhere that speaks ${eras} is found to, becomes ready and answers`, async (t) => {
    const mesh = setUp(t);
    const far = await remote(t, { eras });
    mesh.put(elsewhere([far.url()]));
    await untilReally('it is ready', () => mesh.get('far').state === 'ready');
    await untilReally('its era is known', () => mesh.get('far').era !== null);
    t.is(mesh.get('far').era, eras);
    const [replica] = mesh.standing('far');
    const outcome = await replica?.call('tools/call', { name: 'echo', arguments: { text: 'x' } }, LIMITS);
    t.true(outcome?.ok);
    t.deepEqual(await mesh.containers.get('0'.repeat(12)).catch(({ code }) => code), 'container_not_found');
  });
}

test('one that nobody answers for says why, and is tried again until somebody does', async (t) => {
  const clock = new FakeClock();
  const mesh = setUp(t, clock);
  const far = await remote(t);
  await far.close();
  mesh.put(elsewhere([far.url()]));
  await untilReally('it says why', () => mesh.places('far')[0]?.reason?.code === 'unreachable');
  t.regex(mesh.places('far')[0]?.reason?.message ?? '', /could not be reached/);
  await far.reopen();
  await clock.advance(60_000);
  await untilReally('it is ready', () => mesh.get('far').state === 'ready');
});

test('one that registers again is tried at once, however long it would have been left alone', async (t) => {
  const mesh = setUp(t, new FakeClock());
  const far = await remote(t);
  await far.close();
  mesh.put(elsewhere([far.url()]));
  await untilReally('it waits for its next try', () => mesh.get('far').nextTryAt !== null);
  await far.reopen();
  mesh.retry('far');
  await untilReally('it is ready, though no time has passed', () => mesh.get('far').state === 'ready');
  t.is(mesh.places('far')[0]?.breaker, 'closed');
});

test('one that dies while nobody calls is found by probes, taken out, and taken back when it is there again', async (t) => {
  const mesh = setUp(t);
  const far = await remote(t);
  mesh.put(elsewhere([far.url()], { health: { intervalMs: 50, timeoutMs: 200, rise: 1, fall: 2 } }));
  await untilReally('it is ready', () => mesh.get('far').state === 'ready');
  await untilReally('it was asked', () => far.methods().includes('ping'));
  await far.close();
  await untilReally('its breaker is open', () => mesh.places('far')[0]?.breaker === 'open');
  await far.reopen();
  mesh.retry('far');
  await untilReally('it is ready again', () => mesh.get('far').state === 'ready');
  t.is(mesh.places('far')[0]?.breaker, 'closed');
});

test('an address that is not allowed is never connected to', async (t) => {
  const mesh = setUp(t);
  const far = await remote(t);
  mesh.put(elsewhere([far.url('127.0.0.2')]));
  await untilReally('it says why', () => mesh.places('far')[0]?.reason?.code === 'address_not_allowed');
  t.deepEqual(far.heard, []);
});

test('instances come and go one by one; the others keep their connections', async (t) => {
  const mesh = setUp(t);
  const [a, b, c] = [await remote(t), await remote(t), await remote(t)];
  mesh.put(elsewhere([a.url(), b.url()]));
  await untilReally('both are ready', () => mesh.get('far').replicas.ready === 2);
  const [first] = mesh.standing('far');
  const places = [
    { number: 1, url: a.url(), id: null },
    { number: 3, url: c.url(), id: 'third' },
  ];
  mesh.put({ ...elsewhere([a.url(), b.url()]), source: { kind: 'url', places, headers: {} } });
  t.false(
    mesh.places('far').some(({ replica }) => replica === 'far-2'),
    'who is gone is no instance, though it still ends',
  );
  await untilReally('the third is ready', () =>
    mesh.places('far').some((one) => one.registeredAs === 'third' && one.state === 'ready'),
  );
  await untilReally('the second has been left', () => b.sessions === 0);
  t.deepEqual(
    mesh.places('far').map(({ replica }) => replica),
    ['far-1', 'far-3'],
  );
  t.is(mesh.standing('far')[0], first);
  await mesh.remove('far');
  t.is(a.sessions + c.sessions, 0, 'their sessions are ended there');
});

test('other headers are other connections: the old ones go once the new ones stand', async (t) => {
  const mesh = setUp(t);
  const far = await remote(t);
  const { source, ...more } = elsewhere([far.url()], { rollout: { watchMs: 0, sessionsMs: 0 } });
  const places = source.kind === 'url' ? source.places : [];
  const known = (key: string): ServerSpec => ({
    ...more,
    source: { kind: 'url', places, headers: { authorization: key } },
  });
  mesh.put(known('one'));
  await untilReally('it is ready', () => mesh.get('far').state === 'ready');
  mesh.put(known('two'));
  await untilReally('the first connection is left', () => far.heard.some(({ verb }) => verb === 'DELETE'));
  const [replica] = mesh.standing('far');
  t.true((await replica?.call('ping', {}, LIMITS))?.ok);
  t.is(far.heard.at(-1)?.headers.authorization, 'two');
  const left = far.heard.findLast(({ verb }) => verb === 'DELETE');
  t.is(left?.headers.authorization, 'one', 'each connection keeps its own');
  t.deepEqual(mesh.get('far').headerKeys, ['authorization']);
});

test('under sharing: session each session connects for itself, to the one with the fewest connections', async (t) => {
  const mesh = setUp(t);
  const [a, b] = [await remote(t), await remote(t)];
  mesh.put(elsewhere([a.url(), b.url()], { sharing: 'session' }));
  await untilReally('both are ready', () => mesh.get('far').replicas.ready === 2);
  const hello = {
    protocolVersion: '2025-11-25',
    capabilities: { roots: {} },
    clientInfo: { name: 'me', version: '1' },
  };
  const replicas = [await mesh.openForSession('far', 'alice'), await mesh.openForSession('far', 'bob')];
  for (const replica of replicas) await replica.initialize(hello, { ...LIMITS, announce: true });
  const mine = (one: RemoteServer) =>
    one.heard.filter(({ message }) => JSON.stringify(message?.params)?.includes('"me"')).length;
  t.deepEqual([mine(a), mine(b)], [1, 1]);
  for (const replica of replicas) await mesh.release(replica, 'test');
  await a.close();
  await t.throwsAsync(
    mesh
      .openForSession('far', 'carol')
      .then((replica) => replica.initialize(hello, { ...LIMITS, announce: true })),
  );
  const dave = await mesh.openForSession('far', 'dave');
  await dave.initialize(hello, { ...LIMITS, announce: true });
  t.is(mine(b), 2, 'who has just failed is asked last');
  t.throws(() => mesh.scale('far', 3), { message: /cannot be scaled here/ });
});
