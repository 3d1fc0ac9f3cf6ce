import test from 'ava';
import { loadConfig } from '../../orchestrator/config/index.ts';

const source = test.macro({
  exec(t, entry: string, expected: Record<string, unknown>) {
    const loaded = loadConfig(`servers: {x: {${entry}}}`, { baseDir: '/etc/gantry' });
    t.deepEqual(loaded.ok ? loaded.servers[0]?.source : loaded.problems, expected as never);
  },
  title: (_, entry) => `a source may be written ${entry}`,
});

test(source, 'npm: x', { kind: 'npm', name: 'x', version: null, bin: null });
test(source, 'npm: "x@1.0.0-rc.1"', { kind: 'npm', name: 'x', version: '1.0.0-rc.1', bin: null });
test(source, 'pypi: x', { kind: 'pypi', name: 'x', version: null, bin: null });
test(source, 'pypi: "x==2!1.0.post1"', { kind: 'pypi', name: 'x', version: '2!1.0.post1', bin: null });
test(source, 'image: "localhost:5000/a/b:1"', {
  kind: 'image',
  image: 'localhost:5000/a/b:1',
  command: null,
});
test(source, `image: "b@sha256:${'a'.repeat(64)}"`, {
  kind: 'image',
  image: `b@sha256:${'a'.repeat(64)}`,
  command: null,
});
test(source, 'image: b, command: [run, -x]', { kind: 'image', image: 'b', command: ['run', '-x'] });
test(source, 'build: ./servers/clock', { kind: 'build', path: '/etc/gantry/servers/clock', command: null });
test(source, 'build: .', { kind: 'build', path: '/etc/gantry', command: null });
