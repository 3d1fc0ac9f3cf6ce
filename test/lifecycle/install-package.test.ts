import test from 'ava';
import { EngineError } from '../../orchestrator/engine/index.ts';
import { type Fact, Facts } from '../../orchestrator/kernel/index.ts';
import { COMMAND_FILE } from '../../orchestrator/lifecycle/images/install-scripts.ts';
import { Images } from '../../orchestrator/lifecycle/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';
import { spec } from './rig.ts';

const BRIDGE = 'gantry/bridge-image:abc';

function setUp(bridgeTag = BRIDGE, engine = new FakeEngine()) {
  engine.images.files.set(COMMAND_FILE, Buffer.from('{"command":["/app/node_modules/.bin/tool"]}'));
  const facts = new Facts();
  const stated: Fact[] = [];
  facts.listen((fact) => stated.push(fact));
  const pins = { get: async () => null, put: async (_: string, version: string) => version };
  const clock = new FakeClock();
  const images = new Images({
    engine,
    clock,
    facts,
    owner: 'gantry',
    pins,
    bridgeTag: async () => bridgeTag,
  });
  const prepare = (name: string, source: object = {}, data = '/data') =>
    images.prepare(
      spec(name, {
        source: { kind: 'npm', name: 'native', version: '1.0.0', bin: null, ...source },
        data,
      }),
    );
  const built = () => engine.images.builds.map(({ tag }) => tag.replace(/:.*/, ''));
  return { engine, images, prepare, built, stated };
}

/** As npm prints it; the failed download of headers is part of it. */
const gyp = () =>
  new EngineError('build_failed', 'The build failed', {
    output: ['npm error prebuild-install warn ECONNRESET', 'npm error gyp ERR! not ok'],
  });

test('a package with native parts is installed again with a compiler, which stays out of what runs', async (t) => {
  const { engine, prepare, built, stated } = setUp();
  engine.images.failNext.push(gyp());
  const { tag } = await prepare('one');
  t.deepEqual(built(), ['gantry/server-one', 'gantry/compiler', 'gantry/server-one', 'gantry/server-one']);
  const [, compiler, compiled, last] = engine.images.builds.map((build) => build.tag);
  const [plain = '', , compiling = '', copying = ''] = engine.images.contexts;
  t.is(last, tag);
  t.true(compiling.includes(`FROM ${compiler}\n`));
  t.regex(compiling, /chown -hR 0:0 \/app/, 'or the builder could not copy it');
  // Whatever the image needs beside the package is as in one that needed no compiler.
  t.true(copying.includes('"/data"'));
  t.true(copying.includes(plain.slice(plain.indexOf('FROM '), plain.indexOf('\nCOPY '))));
  t.true(copying.includes(`FROM ${BRIDGE}\n`));
  t.true(copying.includes(`COPY --from=${compiled} --chown=10001:10001 /app /app`));
  t.false(await engine.images.has(compiled ?? ''), 'what was only needed for the copy is gone');
  t.true(await engine.images.has(tag));
  const facts = stated.flatMap((fact) => (fact.type === 'image.build' ? [fact.image] : []));
  t.deepEqual(facts, [compiler, tag]);
});

test("a data directory inside the package is made when the package is there, and is not root's", async (t) => {
  const { engine, prepare } = setUp();
  const inside = '/app/node_modules/native/data';
  for (const failures of [[], [gyp()]]) {
    engine.images.failNext.push(...failures);
    await prepare(`server-${failures.length}`, {}, inside);
    const last = engine.images.contexts.at(-1) ?? '';
    t.true(last.indexOf(inside) > last.search(/npm install|COPY --from/));
    t.is(last.split(inside).length, 2, 'and not before');
    t.true(last.lastIndexOf('USER 10001:10001') < last.indexOf(inside));
  }
});

test('the compiler is installed under the limits of every install, and once for all packages', async (t) => {
  const { engine, prepare, built } = setUp();
  engine.images.failNext.push(gyp(), gyp());
  await Promise.all([prepare('one'), prepare('two')]);
  t.is(built().filter((name) => name === 'gantry/compiler').length, 1);
  for (const build of engine.images.builds) {
    t.like(build, { network: 'install', limits: { memoryBytes: 2 ** 30, cpus: 1 } });
  }
});

test('compiling may take longer than other installs', async (t) => {
  const { engine, prepare } = setUp();
  engine.images.failNext.push(gyp());
  await prepare('one');
  t.deepEqual(
    engine.images.builds.map(({ timeoutMs }) => timeoutMs / 60_000),
    [10, 10, 20, 10],
  );
});

test('the tag of a package is the same whether it needed the compiler or not', async (t) => {
  const native = setUp();
  native.engine.images.failNext.push(gyp());
  t.deepEqual(await native.prepare('one'), await setUp().prepare('one'));
});

test('a compiler of another bridge image is replaced', async (t) => {
  const { engine, prepare } = setUp();
  engine.images.failNext.push(gyp());
  await prepare('one');
  const later = setUp('gantry/bridge-image:def', engine);
  engine.images.failNext.push(gyp());
  await later.prepare('one');
  const compilers = (await engine.images.list('gantry')).filter(({ tag }) =>
    tag.startsWith('gantry/compiler'),
  );
  t.is(compilers.length, 1);
  t.is(compilers[0]?.tag, engine.images.builds.findLast(({ tag }) => tag.startsWith('gantry/compiler'))?.tag);
});

test('an install that failed for another reason is not tried with a compiler', async (t) => {
  const { engine, prepare, built } = setUp();
  engine.images.failNext.push(new EngineError('build_failed', 'no', { output: ['npm error code E404'] }));
  await t.throwsAsync(prepare('one'), { message: /There is no npm package native/ });
  t.deepEqual(built(), ['gantry/server-one']);
});

test('a package that does not compile either fails with that reason, not with what it could not download', async (t) => {
  const { engine, prepare } = setUp();
  engine.images.failBuild = gyp();
  engine.images.failNext.push(gyp());
  await t.throwsAsync(prepare('one'), {
    message: /native parts, and what compiles them could not be fetched/,
  });
  engine.images.failBuild = null;
  engine.images.failNext.push(gyp());
  await prepare('other');
  engine.images.failBuild = gyp();
  await t.throwsAsync(prepare('one'), { message: /native parts that could not be compiled/ });
});
