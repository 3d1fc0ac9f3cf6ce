import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { canPoll, haltPollNs, haltPollText, withHaltPolling } from '../../bench/halt-polling.ts';

/** Files in the place of the kernel's own. */
async function machine(t: ExecutionContext, limit: string, governor = 'haltpoll', shrinks = 'Y') {
  const directory = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const texts = { governor, limit, shrinks };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(directory, name), `${text}\n`);
  return {
    governor: join(directory, 'governor'),
    limit: join(directory, 'limit'),
    shrinks: join(directory, 'shrinks'),
  };
}

test("processors poll while something is measured, and the machine's own value is back afterwards", async (t) => {
  const files = await machine(t, '0');
  t.true(canPoll(files));
  t.is(await withHaltPolling(() => readFile(files.limit, 'utf8'), files), '200000');
  t.is(await readFile(files.limit, 'utf8'), '0');
});

test("the machine's own value is back after a measurement that failed, too", async (t) => {
  const files = await machine(t, '0');
  const failing = () => Promise.reject(new Error('broken'));
  await t.throwsAsync(withHaltPolling(failing, files), { message: 'broken' });
  t.is(await readFile(files.limit, 'utf8'), '0');
});

test("the machine's own value is back when the bench is told to end, more than once at that", async (t) => {
  const files = await machine(t, '0');
  const module = new URL('../../bench/halt-polling.ts', import.meta.url).href;
  const script = `
    const { withHaltPolling } = await import(${JSON.stringify(module)});
    setInterval(() => {}, 1000);
    await withHaltPolling(() => new Promise(() => console.log('polls')), ${JSON.stringify(files)});`;
  const bench = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(bench.stdout, 'data');
  t.is(await readFile(files.limit, 'utf8'), '200000');
  const over = once(bench, 'exit');
  bench.kill('SIGINT');
  bench.kill('SIGINT');
  t.deepEqual(await over, [130, null]);
  t.is(await readFile(files.limit, 'utf8'), '0');
});

test('nothing is changed on a machine that polls already, or does not halt by that governor', async (t) => {
  t.false(canPoll(await machine(t, '200000')));
  t.false(canPoll(await machine(t, '0', 'menu')));
  t.false(canPoll(await machine(t, '0', 'haltpoll', 'N')));
  const nowhere = { governor: '/nowhere/a', limit: '/nowhere/b', shrinks: '/nowhere/c' };
  t.false(canPoll(nowhere));
  const files = await machine(t, '0');
  await chmod(files.limit, 0o444);
  t.is(canPoll(files), process.getuid?.() === 0, 'who may not write may not set it');
});

test('a run says how its machine was set', async (t) => {
  t.is(haltPollText(haltPollNs(await machine(t, '0'))), 'halt polling off');
  t.is(haltPollText(haltPollNs(await machine(t, '200000'))), 'halt polling up to 200 µs');
  const other = await machine(t, '200000', 'menu');
  t.is(haltPollText(haltPollNs(other)), null);
  t.is(haltPollText(haltPollNs({ ...(await machine(t, '0')), limit: '/nowhere/b' })), null);
});
