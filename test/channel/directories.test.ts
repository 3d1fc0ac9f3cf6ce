import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ChannelDirectories } from '../../orchestrator/channel/index.ts';

const KEY = Buffer.alloc(32, 1);

async function directories(t: ExecutionContext, owner = 'gantry', key = KEY) {
  const root = await mkdtemp(join(tmpdir(), 'gantry-channels-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  return { root, made: new ChannelDirectories({ root, engineRoot: '/engine', owner, key }) };
}

test('a directory can be passed through and not listed, and the engine finds it where it is mounted', async (t) => {
  const { root, made } = await directories(t);
  const name = made.newName();
  await made.make(name);
  t.is(made.pathOf(name), join(root, 'gantry', name));
  t.is(made.enginePathOf(name), `/engine/gantry/${name}`);
  t.is((await stat(made.pathOf(name))).mode & 0o777, 0o711);
  await made.remove(name);
  t.deepEqual(await readdir(join(root, 'gantry')), []);
});

test('every replica, mesh and key has another secret, and the same ones the same', async (t) => {
  const { made } = await directories(t);
  const again = (await directories(t)).made;
  const others = [
    (await directories(t, 'other')).made,
    (await directories(t, 'gantry', Buffer.alloc(32, 2))).made,
  ];
  t.deepEqual(made.secretOf('a'), again.secretOf('a'));
  const secrets = [made.secretOf('a'), made.secretOf('b'), ...others.map((other) => other.secretOf('a'))];
  t.is(new Set(secrets.map((secret) => secret.toString('hex'))).size, 4);
  t.true(secrets.every((secret) => secret.length === 32));
});

test('what no container uses is swept, of this mesh alone', async (t) => {
  const { root, made } = await directories(t);
  await made.sweep(new Set()); // nothing was ever made
  for (const name of ['kept', 'left', 'left-too']) await made.make(name);
  const other = new ChannelDirectories({ root, engineRoot: root, owner: 'other', key: KEY });
  await other.make('theirs');
  await made.sweep(new Set(['kept']));
  t.deepEqual(await readdir(join(root, 'gantry')), ['kept']);
  t.deepEqual(await readdir(join(root, 'other')), ['theirs']);
});
