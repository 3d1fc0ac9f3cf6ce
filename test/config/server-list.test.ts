import test from 'ava';
import { ServerList } from '../../orchestrator/config/index.ts';

/** A list whose file can be written anew. */
function listOf(first: string) {
  let text = first;
  const list = new ServerList({
    readFile: async () => text,
    baseDir: '/etc/gantry',
    store: { list: async () => [], put: async () => {}, delete: async () => {} },
    apply: async () => {},
    onTrouble() {},
  });
  const write = (next: string): void => {
    text = next;
  };
  return { list, write };
}

test('a reload tells that settings changed, until a start has read them', async (t) => {
  const { list, write } = listOf('http: {maxBodyBytes: 1MiB}\nservers: {x: {npm: a}}');
  await list.load();
  t.deepEqual(await list.reload(), { added: [], changed: [], removed: [], settingsChanged: false });
  write('http: {maxBodyBytes: 2MiB}\nservers: {y: {npm: a}}');
  t.deepEqual(await list.reload(), { added: ['y'], changed: [], removed: ['x'], settingsChanged: true });
  t.true((await list.reload()).settingsChanged, 'the old ones are still in force');
  write('http: {maxBodyBytes: 1MiB}\nservers: {y: {npm: a}}');
  t.false((await list.reload()).settingsChanged);
});

test('a setting that is written differently and means the same has not changed', async (t) => {
  const { list, write } = listOf('limits: {maxLineBytes: 1MiB}');
  await list.load();
  write('# a comment\nlimits: {maxLineBytes: 1048576}\nauth: {tokens: []}');
  t.false((await list.reload()).settingsChanged);
});
