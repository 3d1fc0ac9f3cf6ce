import test from 'ava';
import { type ControlRooms, controls } from '../../orchestrator/controls.ts';
import { DisabledServers } from '../../orchestrator/disabled-servers.ts';
import type { ServerSpec } from '../../orchestrator/kernel/index.ts';
import { Router } from '../../orchestrator/routing/index.ts';
import { OWNER, rig, spec, until } from '../lifecycle/rig.ts';

const OFF = { disabled: 'needs a token' };
const REFUSED = {
  code: 'invalid_state',
  message: 'Server off is disabled: needs a token. Take `disabled` out of its entry to run it.',
};

/** A mesh on the fake engine behind the control functions, as main puts them together. */
function together() {
  const disabled = new DisabledServers(({ name }) => `http://127.0.0.1:7400/mcp/${name}`);
  const { mesh, engine, clock, facts } = rig({ disabled: disabled.why });
  const router = new Router({ pools: mesh, clock, facts, random: () => 0.5, disabled: disabled.why });
  const written: string[] = [];
  const note = async (name: string): Promise<void> => void written.push(name);
  const intents = { start: note, stop: note, scale: note, stopped: () => true };
  const rooms = {
    mesh,
    disabled,
    router,
    intents,
    sessions: { count: () => 0 },
    aggregates: { sessionsOn: () => 0 },
  };
  const { servers, tools } = controls(rooms as unknown as ControlRooms);
  const apply = (...specs: ServerSpec[]): Promise<void> => mesh.apply(disabled.keep(specs));
  return { apply, engine, router, servers, tools, written };
}

test('a server that is disabled is shown with its reason and has no container', async (t) => {
  const { apply, engine, servers, tools } = together();
  await apply(spec('off', { ...OFF, env: { TOKEN: '' } }), spec('on'));
  await until('the other is ready', () => servers.get('on').state === 'ready');
  t.deepEqual(
    servers.list().map(({ name, state }) => [name, state]),
    [
      ['on', 'ready'],
      ['off', 'disabled'],
    ],
  );
  t.like(servers.get('off'), { reason: { code: 'disabled', message: 'needs a token' }, envKeys: ['TOKEN'] });
  t.deepEqual(servers.get('off').replicas, { desired: 0, ready: 0, total: 0, min: 1, max: 1, spare: 0 });
  t.deepEqual([servers.replicas('off'), tools.known('off')], [[], []]);
  t.deepEqual(
    engine.created.map((made) => made.labels['gantry.server']),
    ['on'],
  );
});

test('every verb and every call is refused with the reason, and nothing is written down', async (t) => {
  const { apply, engine, router, servers, written } = together();
  await apply(spec('off', OFF));
  const verbs = [
    () => servers.start('off'),
    () => servers.stop('off'),
    () => servers.restart('off'),
    () => servers.scale('off', 2),
    () => router.lease('off', 'alice'),
  ];
  for (const verb of verbs) t.like(await t.throwsAsync(verb), REFUSED);
  t.like(
    t.throws(() => router.spec('off')),
    REFUSED,
  );
  t.is(servers.get('off').state, 'disabled');
  t.deepEqual([engine.created, written], [[], []]);
});

test('it runs once `disabled` is taken out, and its containers go when it comes back', async (t) => {
  const { apply, engine, router, servers } = together();
  await apply(spec('off', OFF));
  await apply(spec('off'));
  await until('it is ready', () => servers.get('off').state === 'ready');
  t.is(router.spec('off').name, 'off');
  const gone = apply(spec('off', OFF));
  t.not(servers.get('off').state, 'disabled', 'its container is still there');
  await t.throwsAsync(() => servers.start('off'), REFUSED);
  await gone;
  t.is(servers.get('off').state, 'disabled');
  t.deepEqual(await engine.list(OWNER), []);
});

test('who depends on a disabled server says so', async (t) => {
  const { apply, servers } = together();
  await apply(spec('off', OFF), spec('child', { dependsOn: ['off'] }));
  t.like(servers.get('child'), { state: 'pending', reason: { code: 'dependency_failed' } });
  t.is(servers.get('child').reason?.message, 'It depends on server off, which is disabled: needs a token');
});

test('a server that there is not is still not there', async (t) => {
  const { servers, router } = together();
  for (const ask of [() => servers.get('x'), () => router.spec('x'), () => servers.replicas('x')]) {
    t.like(t.throws(ask), { code: 'server_not_found' });
  }
});
