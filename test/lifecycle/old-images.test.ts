import { Readable } from 'node:stream';
import test from 'ava';
import type { ServerSpec } from '../../orchestrator/kernel/index.ts';
import { mcpServer } from './fake-server.ts';
import { OWNER, rig, settle, spec, until } from './rig.ts';

/** A mesh whose images are built, one for each version that is named as the source. */
function building() {
  const all = rig({
    prepareImage: async ({ name, source }) => {
      const version = source.kind === 'image' ? source.image : '';
      const tag = `gantry/server-${name}:${version}`;
      await build(tag, name);
      return { tag, command: null, resolved: null, hasBridge: false };
    },
  });
  const build = async (tag: string, server: string, owner = OWNER): Promise<void> => {
    const labels = { 'gantry.owner': owner, 'gantry.server': server };
    const limits = { memoryBytes: 1, cpus: 1 };
    const rest = { buildArgs: {}, network: 'none', limits, timeoutMs: 1 } as const;
    await all.engine.images.build({ tag, labels, context: Readable.from([]), ...rest });
    all.engine.images.programs.set(tag, mcpServer);
  };
  const tags = async () => (await all.engine.images.list(OWNER)).map(({ tag }) => tag).sort();
  return { ...all, build, tags };
}

const at = (name: string, version: string): ServerSpec =>
  spec(name, { source: { kind: 'image', image: version, command: null } });

test('an image that was replaced is removed, also one of an earlier start, and no other', async (t) => {
  const { mesh, engine, clock, build, tags } = building();
  await build('gantry/server-one:earlier', 'one');
  await build('gantry/server-one:foreign', 'one', 'somebody-else');
  await build('gantry/server-one-more:1', 'one-more');
  await mesh.apply([at('one', '1'), at('two', '1')]);
  await until('both are ready', () => mesh.list().every((view) => view.state === 'ready'));
  await settle();
  t.deepEqual(await tags(), ['gantry/server-one-more:1', 'gantry/server-one:1', 'gantry/server-two:1']);
  await mesh.apply([at('one', '2'), at('two', '1')]);
  await until('the new one serves', () => mesh.get('one').rollout?.state === 'watching');
  await settle();
  t.true((await tags()).includes('gantry/server-one:1'), 'as long as there may be a way back');
  clock.advance(10_000);
  await until('the old one is gone', () => mesh.get('one').rollout?.state === 'done');
  await settle();
  t.deepEqual(await tags(), ['gantry/server-one-more:1', 'gantry/server-one:2', 'gantry/server-two:1']);
  t.true(await engine.images.has('gantry/server-one:foreign'));
});

test('the images of a removed server go with it, and one that stays is no trouble', async (t) => {
  const { mesh, engine, stated, tags } = building();
  await mesh.apply([at('one', '1'), at('two', '1')]);
  await until('both are ready', () => mesh.list().every((view) => view.state === 'ready'));
  await mesh.apply([at('one', '1')]);
  t.deepEqual(await tags(), ['gantry/server-one:1']);
  engine.images.remove = async () => {
    throw new Error('in use');
  };
  await mesh.apply([]);
  t.deepEqual(mesh.list(), []);
  t.deepEqual(
    stated.filter((fact) => fact.type === 'trouble'),
    [],
  );
});
