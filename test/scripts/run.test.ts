import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { attempt, logTo, run } from '../../scripts/setup/run.mjs';

test('what a command prints is in the log, unless it is a secret', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'gantry-run-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const path = join(directory, 'setup.log');
  logTo(path);
  const secret = await run(
    'The token could not be read',
    ['sh', '-c', 'echo $((40 + 2)); echo a warning >&2'],
    {
      isSecret: true,
    },
  );
  t.is(secret, '42\n');
  const failed = await attempt(['sh', '-c', 'echo $((20 + 3)); exit 1']);
  t.like(failed, { code: 1, stdout: '23\n' });
  let log = '';
  while (!log.includes('\n23\n')) {
    log = await readFile(path, 'utf8').catch(() => '');
    await setImmediate();
  }
  t.regex(log, /^a warning$/m);
  t.notRegex(log, /^42$/m);
});
