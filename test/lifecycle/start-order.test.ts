import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { OWNER, rig, running, settle, spec, until } from './rig.ts';

const state = ({ mesh }: ReturnType<typeof rig>, name: string) => mesh.get(name).state;

test('servers start layer by layer, those of one layer together', async (t) => {
  const all = rig();
  await all.mesh.apply([
    spec('top', { dependsOn: ['left', 'right'] }),
    spec('left', { dependsOn: ['base'] }),
    spec('right', { dependsOn: ['base'] }),
    spec('base'),
  ]);
  t.like(all.mesh.get('top'), { state: 'pending', reason: { code: 'waiting_for' } });
  t.regex(all.mesh.get('left').reason?.message ?? '', /waits for server base, which is starting/);
  await until('all are ready', () => all.mesh.list().every((view) => view.state === 'ready'));
  const order = all.stated.flatMap((fact) =>
    fact.type === 'server.state' && fact.state === 'ready' ? [fact.server] : [],
  );
  t.is(order[0], 'base');
  t.deepEqual(order.slice(1, 3).sort(), ['left', 'right']);
  t.is(order[3], 'top');
  t.deepEqual(
    all.engine.created.map((made) => made.labels['gantry.server']),
    ['base', 'left', 'right', 'top'],
    'no container of a server was made before its time',
  );
});

test('a server that fails blocks only those that depend on it, which say so, and start when it is ready', async (t) => {
  const all = rig();
  await all.mesh.apply([
    spec('broken', running('no-such-image')),
    spec('child', { dependsOn: ['broken'] }),
    spec('grandchild', { dependsOn: ['child'] }),
    spec('other'),
  ]);
  await until('the other is ready', () => state(all, 'other') === 'ready');
  await until('the broken one has failed', () => state(all, 'broken') === 'failed');
  t.like(all.mesh.get('child'), { state: 'pending', nextTryAt: null });
  t.like(all.mesh.get('child').reason, { code: 'dependency_failed' });
  t.regex(
    all.mesh.get('child').reason?.message ?? '',
    /depends on server broken, which has failed: The image/,
  );
  t.regex(
    all.mesh.get('grandchild').reason?.message ?? '',
    /depends on server child, which cannot be started/,
  );
  const told = all.stated.filter((fact) => fact.type === 'server.state' && fact.server === 'grandchild');
  t.like(told.at(-1), { state: 'pending', reason: { code: 'dependency_failed' } });
  const refused = await t.throwsAsync<GantryError>(all.mesh.openForSession('child', 'alice'), {
    instanceOf: GantryError,
  });
  t.is(refused?.code, 'no_replica');
  t.regex(refused?.message ?? '', /child is not started yet.*broken/);
  await all.mesh.apply([
    spec('broken'),
    spec('child', { dependsOn: ['broken'] }),
    spec('grandchild', { dependsOn: ['child'] }),
    spec('other'),
  ]);
  await until('all are ready', () => all.mesh.list().every((view) => view.state === 'ready'));
});

test('what becomes of a dependency later does not stop who is running', async (t) => {
  const all = rig();
  await all.mesh.apply([spec('base'), spec('child', { dependsOn: ['base'] })]);
  await until('both are ready', () => all.mesh.list().every((view) => view.state === 'ready'));
  all.mesh.stop('base');
  await until('base is stopped', () => state(all, 'base') === 'stopped');
  t.is(state(all, 'child'), 'ready');
  all.mesh.restart('child');
  await settle();
  await until('it came back alone', () => state(all, 'child') === 'ready');
});

test('a wait ends when the dependency is taken out, and a server that waits can be removed', async (t) => {
  const all = rig();
  await all.mesh.apply([
    spec('mute', running('mute')),
    spec('a', { dependsOn: ['mute'] }),
    spec('b', { dependsOn: ['gone'] }),
  ]);
  await settle();
  t.is(state(all, 'a'), 'pending');
  t.regex(all.mesh.get('b').reason?.message ?? '', /depends on server gone, which does not exist/);
  await all.mesh.apply([spec('mute', running('mute')), spec('a')]);
  await until('it is ready', () => state(all, 'a') === 'ready');
  t.is(all.mesh.spec('b'), null);
  t.is((await all.engine.list(OWNER)).length, 2);
});
