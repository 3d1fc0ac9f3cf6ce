import test from 'ava';
import { OWNER, rig, spec, until } from './rig.ts';

const OFF = { disabled: 'needs a token' };

test('a server that is disabled is shown with its reason and has no container', async (t) => {
  const { mesh, engine } = rig();
  await mesh.apply([spec('off', { ...OFF, env: { TOKEN: '' } }), spec('on')]);
  await until('the other is ready', () => mesh.get('on').state === 'ready');
  t.deepEqual(
    mesh.list().map(({ name, state }) => [name, state]),
    [
      ['on', 'ready'],
      ['off', 'disabled'],
    ],
  );
  t.like(mesh.get('off'), { reason: { code: 'disabled', message: 'needs a token' }, envKeys: ['TOKEN'] });
  t.deepEqual(mesh.get('off').replicas, { desired: 0, ready: 0, total: 0, min: 1, max: 1, spare: 0 });
  t.deepEqual(mesh.replicas('off'), []);
  t.deepEqual(mesh.tools('off'), []);
  t.deepEqual(
    engine.created.map((made) => made.labels['gantry.server']),
    ['on'],
  );
});

test('every verb on it is refused with the reason, and changes nothing', async (t) => {
  const { mesh, engine } = rig();
  await mesh.apply([spec('off', OFF)]);
  const verbs = [
    () => mesh.start('off'),
    () => mesh.stop('off'),
    () => mesh.restart('off'),
    () => mesh.scale('off', 2),
    () => mesh.checkScale('off', 2),
    () => mesh.checkVerb('off'),
  ];
  for (const verb of verbs) {
    const message = 'Server off is disabled: needs a token. Take `disabled` out of its entry to run it.';
    t.like(t.throws(verb), { code: 'invalid_state', message });
  }
  t.is(mesh.get('off').state, 'disabled');
  t.deepEqual(engine.created, []);
});

test('it runs once `disabled` is taken out, and its containers go when it comes back', async (t) => {
  const { mesh, engine } = rig();
  await mesh.apply([spec('x', OFF)]);
  await mesh.apply([spec('x')]);
  await until('it is ready', () => mesh.get('x').state === 'ready');
  t.is(mesh.disabled('x'), null);
  const gone = mesh.apply([spec('x', OFF)]);
  t.not(mesh.get('x').state, 'disabled', 'its container is still there');
  t.is(mesh.disabled('x'), 'needs a token');
  await gone;
  t.is(mesh.get('x').state, 'disabled');
  t.deepEqual(await engine.list(OWNER), []);
});

test('who depends on a disabled server says so', async (t) => {
  const { mesh } = rig();
  await mesh.apply([spec('off', OFF), spec('child', { dependsOn: ['off'] })]);
  t.like(mesh.get('child'), { state: 'pending', reason: { code: 'dependency_failed' } });
  t.is(mesh.get('child').reason?.message, 'It depends on server off, which is disabled: needs a token');
});
