import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import test from 'ava';
import { type BuildOptions, EngineError } from '../../orchestrator/engine/index.ts';
import { realEngine, testImage } from './real-engine.ts';
import { tarOf } from './tar.ts';

const engine = realEngine();
const tag = (name: string) => `gantry-e2e-${name}:${randomBytes(4).toString('hex')}`;
const made: string[] = [];

function buildOf(dockerfile: string, over: Partial<BuildOptions> = {}): BuildOptions {
  const name = tag('build');
  made.push(name);
  return {
    tag: name,
    context: tarOf({ Dockerfile: dockerfile }),
    labels: { 'gantry.owner': 'e2e' },
    buildArgs: {},
    network: 'none',
    limits: { memoryBytes: 256 * 1024 * 1024, cpus: 1 },
    timeoutMs: 120_000,
    ...over,
  };
}

test.before(() => engine.prepare());

test.after.always(async () => {
  for (const name of made) await engine.images.remove(name);
});

test.serial(
  'an image is built from a streamed context, with arguments, and its files can be read',
  async (t) => {
    const build = buildOf(
      `FROM ${testImage()}\nUSER 0\nARG WHAT\nRUN echo "built $WHAT" > /file && ln -s file /link && mkdir /data\n` +
        'VOLUME /data\nUSER 4711\nENTRYPOINT ["/bin/echo"]\nCMD ["x"]\n',
      { buildArgs: { WHAT: 'here' } },
    );
    await engine.images.build(build);
    t.true(await engine.images.has(build.tag));
    const image = await engine.images.inspect(build.tag);
    t.like(image, { user: '4711', entrypoint: ['/bin/echo'], command: ['x'] });
    t.like(await engine.images.runsAs(build.tag), { user: '4711', uid: 4711 });
    t.is((await engine.images.readFile(build.tag, '/file')).toString(), 'built here\n');
    t.is((await engine.images.readFile(build.tag, '/link')).toString(), 'built here\n');
    const missing = await t.throwsAsync(engine.images.readFile(build.tag, '/nothing'), {
      instanceOf: EngineError,
    });
    t.is(missing?.code, 'not_found');
    await engine.images.remove(build.tag);
    await engine.images.remove(build.tag);
    t.false(await engine.images.has(build.tag));
  },
);

test.serial('a build that fails says so with the last lines it printed', async (t) => {
  const steps = 'for i in $(seq 1 100); do echo "line $i"; done; echo "npm ERR! no such package" >&2; exit 7';
  const build = buildOf(`FROM ${testImage()}\nRUN ${steps}\n`);
  const error = await t.throwsAsync(engine.images.build(build), { instanceOf: EngineError });
  t.is(error?.code, 'build_failed');
  t.true(error?.output.some((line) => line.includes('npm ERR! no such package')));
  t.true((error?.output.length ?? 0) <= 40);
  t.false(await engine.images.has(build.tag));
});

test.serial('a build that cannot even begin fails with the reason', async (t) => {
  for (const dockerfile of ['NONSENSE here\n', `FROM ${testImage()}\nCOPY missing /\n`]) {
    const error = await t.throwsAsync(engine.images.build(buildOf(dockerfile)), { instanceOf: EngineError });
    t.is(error?.code, 'build_failed');
    t.regex(error?.output.join('\n') ?? '', /NONSENSE|missing/i);
  }
});

test.serial('a build that takes too long is given up, and makes no image', async (t) => {
  const build = buildOf(`FROM ${testImage()}\nRUN echo started && sleep 600\n`, { timeoutMs: 5_000 });
  const error = await t.throwsAsync(engine.images.build(build), { instanceOf: EngineError });
  t.is(error?.code, 'build_timeout');
  t.false(await engine.images.has(build.tag));
});

test.serial('a build that outgrows its memory fails', async (t) => {
  const limits = { memoryBytes: 64 * 1024 * 1024, cpus: 1 };
  const build = buildOf(`FROM ${testImage()}\nRUN exec tail /dev/zero\n`, { limits });
  const error = await t.throwsAsync(engine.images.build(build), { instanceOf: EngineError });
  t.is(error?.code, 'build_failed');
  t.regex(error?.message ?? '', /137/);
});

test.serial('a build without a network has none', async (t) => {
  const build = buildOf(`FROM ${testImage()}\nRUN test "$(ls /sys/class/net)" = lo\n`);
  await t.notThrowsAsync(engine.images.build(build));
});

test.serial('a context that breaks half way fails the build, not the engine', async (t) => {
  const broken = new Readable({
    read() {
      this.destroy(new Error('disk trouble'));
    },
  });
  const build = buildOf(`FROM ${testImage()}\n`, { context: broken });
  const error = await t.throwsAsync(engine.images.build(build), { instanceOf: EngineError });
  t.is(error?.code, 'bad_spec');
});

test.serial('a root file system is imported as one image, with its settings', async (t) => {
  const name = tag('import');
  made.push(name);
  await engine.images.import(name, tarOf({ 'hello.txt': 'hello' }), ['USER 1234', 'CMD ["/hello"]']);
  t.like(await engine.images.inspect(name), { user: '1234', command: ['/hello'] });
  t.is((await engine.images.readFile(name, '/hello.txt')).toString(), 'hello');
  const owned = await engine.images.list('e2e');
  t.like(
    owned.find((image) => image.tag === name),
    { labels: { 'gantry.owner': 'e2e' } },
  );
});

test.serial('an image that no registry in reach has is missing', async (t) => {
  const error = await t.throwsAsync(engine.images.pull('registry.invalid/nobody/nothing:1'), {
    instanceOf: EngineError,
  });
  t.is(error?.code, 'image_missing');
});
