import test from 'ava';
import fc from 'fast-check';
import { loadConfig, problemText } from '../../orchestrator/config/index.ts';

function load(base: string, overlay: string) {
  return loadConfig(base, {
    baseDir: '/etc/gantry',
    fileName: 'gantry.yaml',
    overlay: { file: 'gantry.production.yaml', text: overlay },
    readSecret: () => ({ ok: false, message: 'does not exist' }),
  });
}

function problems(base: string, overlay: string): string[] {
  const loaded = load(base, overlay);
  return loaded.ok ? [] : loaded.problems.map((problem) => problemText('?', problem));
}

test('keys merge at every depth, lists and values replace, null takes away', (t) => {
  const loaded = load(
    `servers:
  kept: {npm: a}
  gone: {npm: b}
  edited: {npm: c, args: [x, y], env: {A: '1', B: '2'}, resources: {memory: 64MiB, pids: 10}}`,
    `servers:
  gone: null
  new: {pypi: d}
  edited: {args: [z], env: {B: null, C: '3'}, resources: {pids: 20}}
limits:`,
  );
  if (!loaded.ok) return t.fail(JSON.stringify(loaded.problems));
  t.deepEqual(
    loaded.servers.map(({ name }) => name),
    ['kept', 'edited', 'new'],
  );
  t.like(loaded.servers[1], { args: ['z'], env: { A: '1', C: '3' } });
  t.like(loaded.servers[1]?.resources, { memoryBytes: 64 * 1024 * 1024, pids: 20 });
  t.is(loaded.settings.limits.maxLineBytes, 16 * 1024 * 1024, 'a section without content says nothing');
});

test('a server may change where its program comes from', (t) => {
  const loaded = load('servers: {x: {npm: a}}', 'servers: {x: {npm: null, build: ./x}}');
  t.like(loaded.ok ? loaded.servers[0]?.source : loaded.problems, { kind: 'build', path: '/etc/gantry/x' });
});

test('a problem names the file that brought it, with line and column there', (t) => {
  const base = 'servers:\n  x: {npm: a, replicas: 0}\n  y: {args: []}\n  z: {npm: a}';
  const found = problems(base, 'servers:\n  z:\n    sharing: everybody\n    nonsense: 1');
  t.deepEqual(found.slice(0, 3), [
    'gantry.yaml:2:25 servers.x.replicas: must be at least 1',
    'gantry.yaml:3:3 servers.y: needs one of npm, pypi, image, build, url',
    'gantry.production.yaml:3:14 servers.z.sharing: must be one of session, shared, principal, call.',
  ]);
  t.regex(found[3] ?? '', /^gantry\.production\.yaml:4:5 servers\.z\.nonsense: is not a known key\./);
  t.is(found.length, 4);
});

test('a value of both is the later one’s, a map that only the overlay broke as well', (t) => {
  t.deepEqual(problems('servers: {x: {npm: a, replicas: 0}}', 'servers:\n  x: {replicas: 101}'), [
    'gantry.production.yaml:2:17 servers.x.replicas: must be at most 100',
  ]);
  t.deepEqual(problems('servers: {x: {npm: a}}', 'servers:\n  x: {npm: null}'), [
    'gantry.production.yaml:2:3 servers.x: needs one of npm, pypi, image, build, url',
  ]);
  t.deepEqual(problems('servers: {x: {args: []}}', 'servers:\n  x: {replicas: 2}'), [
    'gantry.yaml:1:11 servers.x: needs one of npm, pypi, image, build, url',
  ]);
});

test('what is wrong with the YAML of either file is reported with both', (t) => {
  const found = problems('servers: {x: [}', 'servers: {__proto__: {}}');
  t.regex(found[0] ?? '', /^gantry\.yaml:1:/);
  t.regex(found.at(-1) ?? '', /^gantry\.production\.yaml:1:11 servers\.__proto__: is not a name/);
});

test('whatever the two texts, the answer is servers or problems that name one of the two files', (t) => {
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.json({ maxDepth: 4 }),
    fc.constantFrom('servers: &a {x: *a}', 'a: &a {b: *a}\nservers: *a', 'servers: {x: null}', 'servers:'),
  );
  const named = fc.property(text, text, (base, overlay) => {
    const loaded = load(base, overlay);
    return (
      loaded.ok ||
      loaded.problems.every(({ file }) => file === 'gantry.yaml' || file === 'gantry.production.yaml')
    );
  });
  t.notThrows(() => fc.assert(named, { numRuns: 300 }));
});
