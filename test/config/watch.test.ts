import { mkdir, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { ConfigFiles, FileWatch, loadConfig } from '../../orchestrator/config/index.ts';
import { type Clock, systemClock } from '../../orchestrator/kernel/index.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** gantry.yaml in a directory, watched; `next` resolves with what it said when a change was noticed. */
async function watched(t: ExecutionContext, text: string, clock: Clock = systemClock) {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'gantry.yaml');
  await writeFile(path, text);
  const files = new ConfigFiles(path, null);
  const read = async (): Promise<string> => {
    const { base } = await files.read();
    loadConfig(base.text, { baseDir: directory, readSecret: files.readSecret });
    return base.text;
  };
  await read();
  const heard: string[] = [];
  let wake = (): void => {};
  const watch = new FileWatch({
    paths: () => files.paths,
    changes: () => files.changes(),
    onChange: async () => {
      heard.push(await read());
      wake();
    },
    onTrouble: (message) => t.log(message),
    clock,
  });
  t.teardown(() => watch.close());
  const next = async (): Promise<string> => {
    while (heard.length === 0)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return heard.shift() ?? '';
  };
  return { directory, path, files, heard, next };
}

test('a file written in place, and one put in its place by rename, are both noticed', async (t) => {
  const { path, next } = await watched(t, 'servers: {}');
  await writeFile(path, 'servers: {a: {npm: a}}');
  t.is(await next(), 'servers: {a: {npm: a}}');
  for (const name of ['b', 'c']) {
    await writeFile(`${path}.new`, `servers: {${name}: {npm: a}}`);
    await rename(`${path}.new`, path);
    t.is(await next(), `servers: {${name}: {npm: a}}`, 'again and again: each has another inode');
  }
});

test('a file that a value of env refers to is watched too, also one that does not exist yet', async (t) => {
  const text = 'servers: {a: {npm: a, env: {T: {file: secrets/t}}}}';
  const { directory, next } = await watched(t, text);
  await mkdir(join(directory, 'secrets'));
  await writeFile(join(directory, 'secrets/t'), 'one');
  t.is(await next(), text);
  await writeFile(join(directory, 'versions'), 'two');
  await unlink(join(directory, 'secrets/t'));
  await symlink('../versions', join(directory, 'secrets/t'));
  t.is(await next(), text);
});

test('without a word of the system, looking finds a change once it has settled', async (t) => {
  const clock = new FakeClock();
  let look = 'as read';
  let read = 0;
  const watch = new FileWatch({
    paths: () => ['/nowhere/at-all/gantry.yaml'],
    changes: async () => (look === 'as read' ? null : look),
    onChange: async () => {
      read++;
      look = 'as read';
    },
    onTrouble: (message) => t.log(message),
    clock,
  });
  t.teardown(() => watch.close());
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await setImmediate();
  };
  look = 'half written';
  clock.advance(2000);
  await turns();
  look = 'whole';
  clock.advance(300);
  await turns();
  t.is(read, 0, 'it has just changed once more');
  clock.advance(300);
  await turns();
  t.is(read, 1);
  clock.advance(2000);
  await turns();
  t.is(read, 1);
});
