import { Readable } from 'node:stream';
import test from 'ava';
import { EngineError } from '../../orchestrator/engine/index.ts';
import { containerSpec } from '../fakes/container-spec.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';

const SPEC = containerSpec({
  args: ['--verbose'],
  env: { KEY: 'value' },
  labels: { 'gantry.owner': 'test' },
});

const BUILD = {
  tag: 'built:1',
  labels: {},
  buildArgs: {},
  network: 'install',
  limits: { memoryBytes: 1024, cpus: 1 },
  timeoutMs: 1000,
} as const;

test('a scripted failure of create or start is what the caller gets', async (t) => {
  const engine = new FakeEngine({ programs: { program: () => {} } });
  engine.failCreate = new EngineError('bad_spec', 'as scripted');
  await t.throwsAsync(engine.create(SPEC), { message: 'as scripted' });
  engine.failCreate = null;
  const id = await engine.create(SPEC);
  engine.failStart = new EngineError('bad_spec', 'no such program');
  await t.throwsAsync(engine.start(id), { message: 'no such program' });
  t.is(engine.created.length, 2);
});

test('an engine that does not apply limits shows it in the facts', async (t) => {
  const engine = new FakeEngine({ programs: { program: () => {} } });
  engine.limitsApplied = false;
  const id = await engine.create(SPEC);
  t.like((await engine.inspect(id))?.limits, { memoryBytes: 0, memorySwapBytes: -1, cpus: 0, pids: 0 });
});

test('a program sees its arguments and environment, and can be ended from outside', async (t) => {
  const seen: unknown[] = [];
  const engine = new FakeEngine({ programs: { program: (io) => seen.push(io.args, io.env) } });
  const id = await engine.create(SPEC);
  const died = new Promise((resolve) => engine.events((event) => event.type === 'die' && resolve(event)));
  await engine.start(id);
  t.deepEqual(seen, [['--verbose'], { KEY: 'value' }]);
  engine.process(id).outOfMemory();
  await died;
  t.is((await engine.inspect(id))?.exit?.reason, 'oom');
});

test('an image that was built runs the fallback program, and the build is on record', async (t) => {
  const engine = new FakeEngine({ fallback: (io) => io.exit(5) });
  await t.throwsAsync(engine.create({ ...SPEC, image: BUILD.tag }), { code: 'image_missing' });
  await engine.images.build({ ...BUILD, context: Readable.from(['context']) });
  t.is(engine.images.builds[0]?.network, 'install');
  const id = await engine.create({ ...SPEC, image: BUILD.tag });
  const died = new Promise((resolve) => engine.events((event) => event.type === 'die' && resolve(event)));
  await engine.start(id);
  await died;
  t.like((await engine.inspect(id))?.exit, { reason: 'exited', code: 5 });
});

test('a scripted build failure carries its output and makes no image', async (t) => {
  const engine = new FakeEngine();
  engine.images.failBuild = new EngineError('build_failed', 'no', { output: ['npm ERR! 404'] });
  const built = engine.images.build({ ...BUILD, context: Readable.from(['context']) });
  const error = await t.throwsAsync(built, { instanceOf: EngineError });
  t.deepEqual(error?.output, ['npm ERR! 404']);
  t.false(await engine.images.has(BUILD.tag));
});
