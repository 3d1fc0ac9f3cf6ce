import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ConfigFiles, type Reload, ServerList } from '../../orchestrator/config/index.ts';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A list whose file can be written anew. */
async function listOf(t: ExecutionContext, first: string) {
  const directory = await temporaryDirectory(t);
  const write = (text: string): Promise<void> => writeFile(join(directory, 'gantry.yaml'), text);
  await write(first);
  const reloads: Reload[] = [];
  const list = new ServerList({
    files: new ConfigFiles(join(directory, 'gantry.yaml'), null),
    clock: new FakeClock(),
    store: { list: async () => [], put: async () => {}, delete: async () => {} },
    apply: async () => {},
    onTrouble() {},
    onReload: (reload) => reloads.push(reload),
  });
  await list.load();
  return { list, write, reloads };
}

test('a reload tells that settings changed, until a start has read them', async (t) => {
  const { list, write } = await listOf(t, 'http: {maxBodyBytes: 1MiB}\nservers: {x: {npm: a}}');
  t.deepEqual(await list.reload(), { added: [], changed: [], removed: [], settingsChanged: false });
  await write('http: {maxBodyBytes: 2MiB}\nservers: {y: {npm: a}}');
  t.deepEqual(await list.reload(), { added: ['y'], changed: [], removed: ['x'], settingsChanged: true });
  t.true((await list.reload()).settingsChanged, 'the old ones are still in force');
  await write('http: {maxBodyBytes: 1MiB}\nservers: {y: {npm: a}}');
  t.false((await list.reload()).settingsChanged);
});

test('a setting that is written differently and means the same has not changed', async (t) => {
  const { list, write } = await listOf(t, 'limits: {maxLineBytes: 1MiB}');
  await write('# a comment\nlimits: {maxLineBytes: 1048576}\nauth: {tokens: []}');
  t.false((await list.reload()).settingsChanged);
});

test('an invalid file changes nothing, and the view says why with file, line and column', async (t) => {
  const { list, write, reloads } = await listOf(t, 'servers: {x: {npm: a}}');
  await write('servers:\n  y: {npm: a}\n  x: {npm: a, sharing: everybody}');
  await t.throwsAsync(list.reload('watch'), { instanceOf: GantryError });
  t.like(list.config.lastReload, { trigger: 'watch', outcome: 'refused', added: [], removed: [] });
  const [problem] = list.config.lastReload?.problems ?? [];
  t.like(problem, { file: 'gantry.yaml', path: 'servers.x.sharing', line: 3, column: 24 });
  await write('servers: {x: {npm: a}}');
  t.deepEqual(await list.reload('watch'), { added: [], changed: [], removed: [], settingsChanged: false });
  t.deepEqual(
    reloads.map(({ outcome }) => outcome),
    ['refused', 'unchanged'],
  );
});

test('a file without content is believed only when somebody asks for a reload', async (t) => {
  const { list, write } = await listOf(t, 'servers: {x: {npm: a}}');
  await write('');
  await t.throwsAsync(list.reload('watch'), { instanceOf: GantryError });
  t.regex(list.config.lastReload?.problems[0]?.message ?? '', /is empty.*servers: \{\}/);
  t.deepEqual((await list.reload('api')).removed, ['x']);
});
