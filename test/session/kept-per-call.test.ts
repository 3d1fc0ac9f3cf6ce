import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

/** Far below the least thing a call is made of: what is left is what grows with the process and not with its calls. */
const MOST_BYTES = 50;

test('a call that has ended leaves nothing that only a full collection frees', async (t) => {
  t.timeout(60_000);
  const script = fileURLToPath(new URL('kept-per-call.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script]);
  t.regex(stdout, /^-?\d+$/);
  t.true(Number(stdout) < MOST_BYTES, `${stdout} bytes a call`);
});
