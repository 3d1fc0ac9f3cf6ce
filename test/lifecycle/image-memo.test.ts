import test from 'ava';
import { EngineError } from '../../orchestrator/engine/index.ts';
import { ImageMemo } from '../../orchestrator/lifecycle/image-memo.ts';
import type { PreparedImage } from '../../orchestrator/lifecycle/images/prepared-image.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { rig, settle, spec, until } from './rig.ts';

const IMAGE: PreparedImage = { tag: 'made', command: null, resolved: null, hasBridge: false };

function memo() {
  const clock = new FakeClock();
  const tries: PromiseWithResolvers<PreparedImage>[] = [];
  const image = new ImageMemo({
    clock,
    spec: () => spec('one'),
    prepare: () => {
      const attempt = Promise.withResolvers<PreparedImage>();
      tries.push(attempt);
      return attempt.promise;
    },
  });
  return { clock, tries, image };
}

test('the late failure of a try that was forgotten does not touch the newer one', async (t) => {
  const { clock, tries, image } = memo();
  const first = t.throwsAsync(image.get());
  image.forget();
  const second = image.get();
  tries[0]?.reject(new Error('too late'));
  await first;
  clock.advance(3_600_000);
  tries[1]?.resolve(IMAGE);
  t.is(await second, IMAGE);
  t.is(await image.get(), IMAGE);
  t.is(tries.length, 2);
});

test('the late success of a try that was forgotten is not taken for the newer one', async (t) => {
  const { tries, image } = memo();
  const first = image.get();
  image.forget();
  const second = image.get();
  tries[0]?.resolve({ ...IMAGE, tag: 'old' });
  await first;
  t.is(image.prepared, null);
  tries[1]?.resolve(IMAGE);
  await second;
  t.is(image.prepared, IMAGE);
});

test('an image is made anew once the engine says that it is gone, and for nothing else', async (t) => {
  const { tries, image } = memo();
  const first = image.get();
  tries[0]?.resolve(IMAGE);
  await first;
  image.report(new EngineError('conflict', 'The name is taken.'));
  t.is(await image.get(), IMAGE);
  image.report(new EngineError('image_missing', 'The image is not there.'));
  void image.get();
  t.is(tries.length, 2);
});

test('a replica whose image left the engine comes up by itself, and a session too', async (t) => {
  let made = 0;
  const all = rig({
    prepareImage: async () => {
      made++;
      if (!(await all.engine.images.has('echo'))) all.engine.images.add('echo', program);
      return { ...IMAGE, tag: 'echo' };
    },
  });
  const program = all.engine.images.program('echo');
  await all.mesh.apply([spec('one')]);
  await until('it is ready', () => all.mesh.get('one').state === 'ready');
  await all.engine.images.remove('echo');
  const [container] = await all.mesh.containers.list();
  all.engine.process(container?.id ?? '').exit(1);
  await until('it misses its image', () => all.mesh.get('one').reason?.code === 'image_missing');
  all.clock.advance(5000);
  await until('it is ready again', () => all.mesh.get('one').state === 'ready');
  t.is(made, 2);
  await all.engine.images.remove('echo');
  await t.throwsAsync(all.mesh.openForSession('one', 'alice'), { message: /image/ });
  await settle();
  t.is((await all.mesh.openForSession('one', 'alice')).identity.server, 'one');
});
