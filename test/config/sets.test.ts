import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ConfigFiles, loadConfig, ServerList } from '../../orchestrator/config/index.ts';
import { systemClock } from '../../orchestrator/kernel/index.ts';
import { MemoryServerStore } from '../../orchestrator/registry/index.ts';
import { mistake } from './mistake.ts';
import { temporaryDirectory } from './temporary-directory.ts';

test('a list of servers is short for a set that offers all of their tools', (t) => {
  const loaded = loadConfig('sets: {a: [x, y, x], b: {servers: [y], tools: {allow: ["y__*"]}}}', {
    baseDir: '/',
  });
  t.deepEqual(loaded.ok && loaded.sets, [
    { name: 'a', servers: ['x', 'y'], tools: { allow: null, deny: [] } },
    { name: 'b', servers: ['y'], tools: { allow: ['y__*'], deny: [] } },
  ]);
});

test(mistake, 'sets: {all: [x]}', /sets\.all: is not a name that can be used here/);
test(mistake, 'sets: {A: [x]}', /sets\.A: is not a name/);
test(mistake, 'sets: {a: []}', /sets\.a: must be at least 1 long/);
test(mistake, 'sets: {a: x}', /sets\.a: must be a list of names of servers, or/);
test(mistake, 'sets: {a: [X__y]}', /sets\.a\[0\]: is not the name of a server/);
test(mistake, 'sets: {a: {servers: [x], tool: {}}}', /sets\.a\.tool: .*Did you mean "tools"/);
test(mistake, 'servers: {x: {npm: a, tools: {allow: read}}}', /x\.tools\.allow: must be a list/);
test(mistake, 'servers: {x: {npm: a, tools: {alow: []}}}', /x\.tools\.alow: .*Did you mean "allow"/);

test('sets follow the file while it is watched', async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'gantry.yaml');
  await writeFile(file, 'sets: {a: [x]}');
  const list = new ServerList({
    files: new ConfigFiles(file, null),
    clock: systemClock,
    store: new MemoryServerStore(),
    apply: async () => {},
    onTrouble: () => {},
  });
  const { http } = await list.load();
  t.deepEqual(http.allowedHosts, []);
  t.deepEqual(
    list.sets.map(({ name }) => name),
    ['a'],
  );
  await writeFile(file, 'sets: {b: [x]}');
  t.false((await list.reload()).settingsChanged);
  t.deepEqual(
    list.sets.map(({ name }) => name),
    ['b'],
  );
});
