import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ConfigFiles, ServerList } from '../../orchestrator/config/index.ts';
import type { ServerSpec } from '../../orchestrator/kernel/index.ts';
import { Router } from '../../orchestrator/routing/index.ts';
import { temporaryDirectory } from '../config/temporary-directory.ts';
import { rig, until } from './rig.ts';

const file = (balance: string): string => `
servers:
  one:
    image: echo
    sharing: shared
    replicas: 2
    balance: {${balance}}
`;

test('a reload of gantry.yaml changes the strategy and lets those in who wait, and replaces no container', async (t) => {
  const { mesh, engine, clock, facts } = rig();
  const router = new Router({ pools: mesh, clock, facts, random: () => 0 });
  const path = join(await temporaryDirectory(t), 'gantry.yaml');
  await writeFile(path, file('maxInFlight: 1'));
  const apply = (specs: readonly ServerSpec[]): Promise<void> => mesh.apply(specs);
  const store = { list: async () => [], put: async () => {}, delete: async () => {} };
  const list = new ServerList({
    files: new ConfigFiles(path, null),
    clock,
    store,
    apply,
    onTrouble: () => {},
  });
  await list.load();
  await list.start();
  await until('both are ready', () => mesh.get('one').replicas.ready === 2);
  const held = await Promise.all([router.lease('one', 'alice'), router.lease('one', 'alice')]);
  const waiting = [router.lease('one', 'alice'), router.lease('one', 'alice')];
  await until('they wait', () => router.queued('one') === 2);

  await writeFile(path, file('maxInFlight: 2, strategy: consistent_hash'));
  t.deepEqual((await list.reload()).changed, ['one']);
  t.like(mesh.get('one').balance, { strategy: 'consistent_hash', maxInFlight: 2 });
  clock.advance(100);
  const given = [...held, ...(await Promise.all(waiting))];
  t.is(new Set(given.map(({ replica }) => replica)).size, 2);
  for (const lease of given) lease.done();
  const hashed = await Promise.all([router.lease('one', 'alice'), router.lease('one', 'alice')]);
  t.is(new Set(hashed.map(({ replica }) => replica)).size, 1, 'the same caller, the same replica');
  t.is(engine.created.length, 2);
});
