import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { EngineError } from '../../orchestrator/engine/index.ts';
import { type Fact, Facts, type Source } from '../../orchestrator/kernel/index.ts';
import { hashContext, listContext } from '../../orchestrator/lifecycle/images/build-context.ts';
import { installFailure } from '../../orchestrator/lifecycle/images/install-failure.ts';
import { COMMAND_FILE, MARK, VERSION_FILE } from '../../orchestrator/lifecycle/images/install-scripts.ts';
import { ensureBridgeImage, Images } from '../../orchestrator/lifecycle/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';
import { spec } from './rig.ts';

const npm = (version: string | null, bin: string | null = null): { source: Source } => ({
  source: { kind: 'npm', name: '@scope/tool', version, bin },
});

function setUp() {
  const engine = new FakeEngine();
  engine.images.files.set(COMMAND_FILE, Buffer.from('{"command":["/app/node_modules/.bin/tool"]}'));
  const facts = new Facts();
  const stated: Fact[] = [];
  facts.listen((fact) => stated.push(fact));
  const pinned = new Map<string, string>();
  const pins = {
    get: async (key: string) => pinned.get(key) ?? null,
    put: async (key: string, version: string) => {
      if (!pinned.has(key)) pinned.set(key, version);
      return pinned.get(key) ?? version;
    },
  };
  const images = new Images({
    engine,
    clock: new FakeClock(),
    facts,
    owner: 'gantry',
    pins,
    bridgeTag: async () => 'gantry/bridge-image:abc',
  });
  return { engine, images, stated, pinned };
}

test('an image is built once, also for many who ask at once, and names its content', async (t) => {
  const { engine, images, stated } = setUp();
  const [first, second] = await Promise.all([1, 2].map(() => images.prepare(spec('one', npm('1.2.3')))));
  await images.prepare(spec('one', npm('1.2.3')));
  t.is(engine.images.builds.length, 1);
  t.deepEqual(first, second);
  t.regex(first?.tag ?? '', /^gantry\/server-one:[0-9a-f]{12}$/);
  t.deepEqual(first?.command, ['/app/node_modules/.bin/tool']);
  t.is(first?.resolved, null);
  const built = stated.flatMap((fact) => (fact.type === 'image.build' ? [fact.cached] : []));
  t.deepEqual(built.sort(), [false, true, true]);
});

test('whatever decides the content changes the tag', async (t) => {
  const { images } = setUp();
  const variants = [
    spec('one', npm('1.2.3')),
    spec('one', npm('1.2.4')),
    spec('one', npm('1.2.3', 'other')),
    spec('one', { ...npm('1.2.3'), data: '/data' }),
    spec('one', { source: { kind: 'pypi', name: 'tool', version: '1.2.3', bin: null } }),
  ];
  const tags = await Promise.all(variants.map(async (variant) => (await images.prepare(variant)).tag));
  t.is(new Set(tags).size, variants.length);
  const { tag } = await images.prepare(spec('one', { ...npm('1.2.3'), env: { A: '1' }, args: ['x'] }));
  t.is(tag, tags[0] ?? '', 'arguments and environment are no part of the image');
});

test('installs run under limits on the fenced network', async (t) => {
  const { engine, images } = setUp();
  await images.prepare(spec('one', npm('1.2.3')));
  const [build] = engine.images.builds;
  t.like(build, { network: 'install', timeoutMs: 600_000, limits: { memoryBytes: 2 ** 30, cpus: 1 } });
  t.like(build?.labels, { 'gantry.owner': 'gantry', 'gantry.server': 'one' });
});

test('a missing version is looked up once and pinned', async (t) => {
  const { engine, images, pinned } = setUp();
  engine.images.files.set(VERSION_FILE, Buffer.from('2.0.1\n'));
  const first = await images.prepare(spec('one', npm(null)));
  t.is(first.resolved, '2.0.1');
  t.is(pinned.get('npm:@scope/tool'), '2.0.1');
  t.is(engine.images.builds.length, 2);
  engine.images.files.set(VERSION_FILE, Buffer.from('3.0.0\n'));
  t.deepEqual(await images.prepare(spec('one', npm(null))), first);
  t.is(engine.images.builds.length, 2);
  t.is(
    (await images.prepare(spec('one', npm('2.0.1')))).tag,
    first.tag,
    'the same as if it had been written',
  );
});

test('a version that is no version is not used', async (t) => {
  const { engine, images, pinned } = setUp();
  engine.images.files.set(VERSION_FILE, Buffer.from('1.0.0 --registry=x\n'));
  await t.throwsAsync(images.prepare(spec('one', npm(null))), { message: /not usable/ });
  t.is(pinned.size, 0);
});

test('an image is pulled only when it is missing', async (t) => {
  const { engine, images } = setUp();
  const source: Source = { kind: 'image', image: 'repo/x:1', command: ['/x'] };
  await t.throwsAsync(images.prepare(spec('one', { source })), { instanceOf: EngineError });
  engine.images.registry.add('repo/x:1');
  t.deepEqual(await images.prepare(spec('one', { source })), {
    tag: 'repo/x:1',
    command: ['/x'],
    resolved: null,
    hasBridge: false,
  });
  engine.images.registry.clear();
  await t.notThrowsAsync(images.prepare(spec('one', { source })));
});

const failures: readonly [string, string[], RegExp][] = [
  [
    'a package that does not exist',
    ['npm error code E404', 'npm error 404 Not Found'],
    /no npm package @scope\/tool/,
  ],
  [
    'a version that does not exist',
    ['\u001b[91mnpm error code ETARGET', 'npm error 404'],
    /no version 1\.2\.3/,
  ],
  ['an index out of reach', ['npm error code EAI_AGAIN'], /could not be reached/],
  [
    'an index out of reach, as pip says it',
    [
      'broken by NewConnectionError(...)',
      'ERROR: No matching distribution found for x (from versions: none)',
    ],
    /could not be reached/,
  ],
  ['several programs', [`${MARK} {"programs":["a","b"],"wanted":null}`], /name one of them as bin: a, b/],
  ['a program that is not there', [`${MARK} {"programs":["a"],"wanted":"c"}`], /no program c; it has: a/],
  ['a package without a program', [`${MARK} {"programs":[],"wanted":null}`], /no program that could be run/],
  [
    'files of another stage that this builder cannot copy',
    ['failed to copy files: failed to copy directory: Container ID 110001 cannot be mapped to a host ID'],
    /only copy files of root here/,
  ],
  ['anything else', ['gyp: the end'], /last lines of its output/],
];

for (const [what, output, message] of failures) {
  test(`a failed install says what to do: ${what}`, (t) => {
    const { reason } = installFailure(
      new EngineError('build_failed', 'The build failed', { output }),
      npm('1.2.3').source,
    );
    t.is(reason.code, 'install_failed');
    t.regex(reason.message, message);
    t.false(reason.stderr.some((line) => line.includes('\u001b')));
    t.true(reason.stderr.length > 0);
  });
}

test('a build directory is sent without what it ignores, and its content decides the image', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-context-'));
  t.teardown(() => rm(dir, { recursive: true }));
  for (const folder of ['src', 'node_modules/x', '.git']) await mkdir(join(dir, folder), { recursive: true });
  await writeFile(join(dir, 'Dockerfile'), 'FROM scratch');
  await writeFile(join(dir, '.dockerignore'), '# secrets\n*.key\nsrc/skip*\n!src/skipper.py\n');
  for (const name of [
    'a.key',
    'src/a.py',
    'src/skip.py',
    'src/skipper.py',
    'node_modules/x/y.js',
    '.git/HEAD',
  ]) {
    await writeFile(join(dir, name), name);
  }
  await symlink('/etc/passwd', join(dir, 'link'));
  const entries = await listContext(dir);
  t.deepEqual(
    entries.map((entry) => entry.path),
    ['.dockerignore', 'Dockerfile', 'link', 'src/a.py', 'src/skipper.py'],
  );
  t.is(entries.find((entry) => entry.path === 'link')?.kind, 'link');
  const before = await hashContext(dir, entries);
  await writeFile(join(dir, 'a.key'), 'another secret');
  t.is(await hashContext(dir, await listContext(dir)), before);
  await writeFile(join(dir, 'src/a.py'), 'changed');
  t.not(await hashContext(dir, await listContext(dir)), before);

  const { engine, images } = setUp();
  const source: Source = { kind: 'build', path: dir, command: null };
  await images.prepare(spec('one', { source }));
  t.like(engine.images.builds[0]?.buildArgs, { GANTRY_BRIDGE_IMAGE: 'gantry/bridge-image:abc' });
});

test('a build directory that is not there is a reason, not a crash', async (t) => {
  const { images } = setUp();
  const source: Source = { kind: 'build', path: '/no/such/directory', command: null };
  await t.throwsAsync(images.prepare(spec('one', { source })), { message: /cannot be read \(ENOENT\)/ });
});

test('the bridge image is imported once', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-bridge-'));
  t.teardown(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, 'tag'), 'gantry/bridge-image:1\n');
  await writeFile(join(dir, 'changes'), 'ENV A=1\n\nUSER 10001\n');
  await writeFile(join(dir, 'rootfs.tar'), '');
  const { engine } = setUp();
  t.is(await ensureBridgeImage(engine, dir), 'gantry/bridge-image:1');
  t.true(await engine.images.has('gantry/bridge-image:1'));
  await rm(join(dir, 'rootfs.tar'));
  t.is(await ensureBridgeImage(engine, dir), 'gantry/bridge-image:1');
});
