import test from 'ava';
import { rig, spec, until } from './rig.ts';

test('a defect in the life of a replica is told and tried again, and a stop still ends it', async (t) => {
  let failing = false;
  const all = rig({
    random: () => {
      if (failing) throw new Error('no more dice');
      return 0.5;
    },
  });
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  failing = true;
  const [container] = await all.mesh.containers.list();
  all.engine.process(container?.id ?? '').exit(1);
  // Once for its breaker, once for its next try.
  await until('it is told', () => told(all) === 2);
  all.clock.advance(1000);
  await until('it is ready again', () => all.mesh.get('one').state === 'ready');
  t.is(all.engine.created.length, 2);
  failing = false;
  await all.mesh.remove('one');
  t.deepEqual(all.mesh.list(), []);
});

function told({ stated }: ReturnType<typeof rig>): number {
  return stated.filter((fact) => fact.type === 'trouble' && fact.message === 'no more dice').length;
}
