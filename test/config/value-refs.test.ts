import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { loadConfig, parseServerBody, problemText } from '../../orchestrator/config/index.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const CANARY = 'canary-5f1c';

/** A configuration directory with one secret in it, and a file beside it that no configuration may reach. */
async function place(t: ExecutionContext) {
  const root = await temporaryDirectory(t);
  const baseDir = join(root, 'config');
  await mkdir(join(baseDir, 'secrets'), { recursive: true });
  await writeFile(join(baseDir, 'secrets/token'), `${CANARY}\n`);
  await writeFile(join(root, 'outside'), CANARY);
  const load = (file: string) =>
    loadConfig(`servers:\n  x: {npm: a, env: {TOKEN: {file: ${JSON.stringify(file)}}}}`, { baseDir });
  const refusal = (file: string): string => {
    const loaded = load(file);
    return loaded.ok ? 'accepted' : loaded.problems.map((one) => problemText('gantry.yaml', one)).join('\n');
  };
  return { root, baseDir, load, refusal };
}

test('a value that stands in a file is read, without the line end at its end', async (t) => {
  const { baseDir, load } = await place(t);
  const loaded = load('secrets/token');
  t.deepEqual(loaded.ok ? loaded.servers[0]?.env : loaded.problems, { TOKEN: CANARY });
  await writeFile(join(baseDir, 'secrets/token'), 'two\nlines\r\n');
  const again = load('./secrets/token');
  t.deepEqual(again.ok ? again.servers[0]?.env : again.problems, { TOKEN: 'two\nlines' });
});

test('what is missing, empty or no text is a problem at its place, and never shows a value', async (t) => {
  const { baseDir, refusal } = await place(t);
  const at = 'gantry.yaml:2:35 servers.x.env.TOKEN.file';
  t.is(refusal('secrets/other'), `${at}: secrets/other does not exist`);
  await writeFile(join(baseDir, 'secrets/empty'), '\n');
  t.is(refusal('secrets/empty'), `${at}: secrets/empty is empty`);
  await writeFile(join(baseDir, 'secrets/binary'), Buffer.from([0xff, 0xfe]));
  t.is(refusal('secrets/binary'), `${at}: secrets/binary is not UTF-8 text`);
  await writeFile(join(baseDir, 'secrets/nul'), `${CANARY}\0`);
  t.regex(refusal('secrets/nul'), /contains NUL/);
  await writeFile(join(baseDir, 'secrets/long'), CANARY.repeat(20_000));
  t.is(refusal('secrets/long'), `${at}: secrets/long is over 128 KiB`);
  t.is(refusal('secrets'), `${at}: secrets is not a regular file`);
  execFileSync('mkfifo', [join(baseDir, 'secrets/pipe')]);
  t.is(refusal('secrets/pipe'), `${at}: secrets/pipe is not a regular file`);
  for (const file of ['secrets/nul', 'secrets/long']) t.notRegex(refusal(file), new RegExp(CANARY));
  await chmod(join(baseDir, 'secrets/token'), 0);
  if (process.getuid?.() !== 0) t.regex(refusal('secrets/token'), /may not be read by the user/);
});

test('no path leads out of the directory of gantry.yaml', async (t) => {
  const { root, baseDir, refusal } = await place(t);
  for (const path of [
    '../outside',
    join(root, 'outside'),
    'secrets/../../outside',
    '~/x',
    '',
    'a\\b',
    'x/',
  ]) {
    t.regex(refusal(path), /must be a file below the directory of gantry\.yaml/, path);
  }
  await symlink(join(root, 'outside'), join(baseDir, 'link'));
  t.regex(refusal('link'), /link leads out of the directory/);
  await symlink(root, join(baseDir, 'up'));
  t.regex(refusal('up/outside'), /up\/outside leads out of the directory/);
  await symlink('loop', join(baseDir, 'loop'));
  t.regex(refusal('loop'), /leads nowhere/);
  await symlink('secrets/token', join(baseDir, 'inside'));
  t.is(refusal('inside'), 'accepted');
});

test('a reference over HTTP is refused', (t) => {
  const parsed = parseServerBody({ name: 'x', npm: 'a', env: { TOKEN: { file: '/etc/passwd' } } });
  const texts = parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path} ${message}`);
  t.regex(texts.join('\n'), /env\.TOKEN names a file of the host: only gantry\.yaml/);
});

test('no problem repeats a value of env', (t) => {
  for (const value of ['5550199', '[5550199]', '{file: 5550199}', '{flie: x5550199}']) {
    const loaded = loadConfig(`servers: {x: {npm: a, env: {PIN: ${value}}}}`, { baseDir: '/etc' });
    const text = loaded.ok ? 'accepted' : JSON.stringify(loaded.problems);
    t.regex(text, /PIN/);
    t.notRegex(text.replaceAll('flie', ''), /5550199/, value);
  }
});
