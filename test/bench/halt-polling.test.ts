import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { haltPollNs, haltPollText, withHaltPolling } from '../../bench/halt-polling.ts';

/** A file in the place of the kernel's own. */
async function parameter(t: { teardown(clear: () => Promise<void>): void }, value: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'guest_halt_poll_ns');
  await writeFile(file, value);
  return file;
}

test("processors poll while something is measured, and the machine's own value is back afterwards", async (t) => {
  const file = await parameter(t, '0\n');
  const during = await withHaltPolling(() => readFile(file, 'utf8'), file);
  t.is(during, '200000');
  t.is(await readFile(file, 'utf8'), '0');
});

test("the machine's own value is back after a measurement that failed, too", async (t) => {
  const file = await parameter(t, '1000\n');
  await t.throwsAsync(
    withHaltPolling(() => Promise.reject(new Error('broken')), file),
    { message: 'broken' },
  );
  t.is(await readFile(file, 'utf8'), '1000');
});

test('nothing is measured on a machine that cannot be set', async (t) => {
  t.is(await withHaltPolling(() => Promise.reject(new Error('not to be asked')), '/nowhere/at/all'), null);
  t.is(await haltPollNs('/nowhere/at/all'), null);
});

test('a run says how its machine was set', async (t) => {
  t.is(haltPollText(await haltPollNs(await parameter(t, '0\n'))), 'halt polling off');
  t.is(haltPollText(await haltPollNs(await parameter(t, '200000\n'))), 'halt polling 200 µs');
  t.is(haltPollText(null), null);
});
