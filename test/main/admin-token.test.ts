import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { adminToken } from '../../orchestrator/admin-token.ts';

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'gantry-token-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('the first start makes a long token that only its owner can read', async (t) => {
  const { token, path } = await adminToken(join(await directory(t), 'state'));
  t.regex(token, /^[A-Za-z0-9_-]{43}$/);
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.is((await readFile(path, 'utf8')).trim(), token);
});

test('later starts keep it, and two at once agree', async (t) => {
  const state = await directory(t);
  const [one, other] = await Promise.all([adminToken(state), adminToken(state)]);
  t.is(one.token, other.token);
  t.is((await adminToken(state)).token, one.token);
  t.deepEqual(await readdir(state), ['admin-token']);
});

test('another installation has another token', async (t) => {
  t.not((await adminToken(await directory(t))).token, (await adminToken(await directory(t))).token);
});

test('an empty file, as a crash may leave it, is not taken for a token', async (t) => {
  const state = await directory(t);
  await writeFile(join(state, 'admin-token'), '\n');
  await t.throwsAsync(adminToken(state), { message: /admin-token is empty/ });
});
