import test from 'ava';
import type { MeshMemory } from '../../orchestrator/lifecycle/index.ts';
import { NO_MEMORY } from '../../orchestrator/lifecycle/mesh-memory.ts';
import { fingerprintOf } from '../../orchestrator/lifecycle/spec-diff.ts';
import { OWNER, rig, settle, spec, until } from './rig.ts';

function remembering(memory: Partial<MeshMemory>): MeshMemory {
  return { ...NO_MEMORY, ...memory };
}

test('a server that was stopped before stays stopped, also when it is changed, until it is started', async (t) => {
  const { mesh, engine } = rig({ memory: remembering({ stopped: (name) => name === 'one' }) });
  await mesh.apply([spec('one'), spec('two')]);
  await until('two is ready', () => mesh.get('two').state === 'ready');
  t.is(mesh.get('one').state, 'stopped');
  await mesh.apply([spec('one', { args: ['-v'] }), spec('two')]);
  await settle();
  t.is(mesh.get('one').state, 'stopped');
  t.is((await engine.list(OWNER)).length, 1);
  mesh.start('one');
  await until('one is ready', () => mesh.get('one').state === 'ready');
});

test('a server that was scaled before comes up with that many replicas', async (t) => {
  const { mesh } = rig({ memory: remembering({ replicas: () => 3 }) });
  await mesh.apply([spec('one')]);
  await until('all are ready', () => mesh.get('one').replicas.ready === 3);
  t.is(mesh.get('one').replicas.desired, 3);
});

test('tools are known before the server is ready where its containers are made of the same', async (t) => {
  const tools = [{ name: 'remembered' }];
  const offers = { tools, prompts: [], resources: [], resourceTemplates: [], instructions: null };
  const made = fingerprintOf(spec('one'));
  const { mesh } = rig({
    memory: remembering({ stopped: () => true, offers: (_server, of) => (of === made ? offers : null) }),
  });
  await mesh.apply([spec('one'), spec('other', { args: ['-v'] })]);
  t.deepEqual(mesh.tools('one'), tools);
  t.deepEqual(mesh.tools('other'), []);
});

test('what a container is made of is told by a word that changes with it and shows no secret', (t) => {
  const plain = fingerprintOf(spec('one', { env: { TOKEN: 'a' } }));
  t.is(fingerprintOf(spec('one', { env: { TOKEN: 'b' }, replicas: 7 })), plain);
  const far = (headers: Record<string, string>) =>
    fingerprintOf(spec('one', { source: { kind: 'url', places: [], headers } }));
  t.is(far({ authorization: 'a' }), far({ authorization: 'b' }));
  t.not(far({ authorization: 'a' }), far({}));
  t.not(fingerprintOf(spec('one', { env: { OTHER: 'a' } })), plain);
  t.not(fingerprintOf(spec('one', { args: ['-v'] })), plain);
});
