import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Runs ava over some files and reads its TAP output.
 * @param {{root: string, files: string[], env?: Record<string,string>, serial?: boolean, timeout?: string, say: (line: string) => void}} options
 * @returns {Promise<{passed: string[], failed: string[]}>} full titles (`folder › file › title`).
 *   A file that cannot be loaded counts as one failed test, and so does whatever the tests left in their temporary directory.
 */
export async function runAva({ root, files, env = {}, serial = false, timeout = '2m', say }) {
  const args = [
    'node_modules/ava/entrypoints/cli.js',
    '--tap',
    // In threads V8 frees WebAssembly code (Node's own, for TypeScript) that another thread still runs: one run of the unit
    // tests in nine aborted, with Node 24.21.0.
    '--no-worker-threads',
    `--timeout=${timeout}`,
    ...(serial ? ['--serial', '--concurrency=1'] : []),
    ...files,
  ];
  const temporary = await mkdtemp(join(tmpdir(), 'gantry-tests-'));
  const child = spawn(`${root}/node_modules/.bin/node`, args, {
    cwd: root,
    env: { ...process.env, ...env, TMPDIR: temporary, PATH: `${root}/node_modules/.bin:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const passed = [];
  const failed = [];
  let detailing = false;
  /** @type {Promise<string>} how it ended; empty where that is as it should be */
  const over = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? (code === 0 ? '' : `exit code ${code}`)));
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const test = /^(not )?ok \d+ - (.*?)(?: # (SKIP|TODO)\b.*)?$/.exec(line);
    if (test) {
      const [, not, title, directive] = test;
      // A test that was skipped or is still to be written has shown nothing: it counts as failed.
      const isGood = !not && directive === undefined;
      (isGood ? passed : failed).push(title);
      detailing = !isGood;
      say(`  ${isGood ? '✔' : '✘'} ${title}${directive ? ` (${directive.toLowerCase()})` : ''}`);
    } else if (detailing && /^\s/.test(line)) {
      say(`  ${line}`);
    } else if (line.startsWith('#') || line.startsWith('    #')) {
      say(`    ${line.replace(/^[\s#]*/, '')}`);
    }
  }
  const end = await over;
  if (end !== '' && failed.length === 0) failed.push(`ava ended with ${end} over ${files.join(' ')}`);
  const left = await readdir(temporary);
  await rm(temporary, { recursive: true, force: true });
  if (left.length > 0) failed.push(`left in the temporary directory: ${left.join(', ')}`);
  return { passed, failed };
}
