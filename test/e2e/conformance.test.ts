import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { baseUrl } from './harness.ts';
import { imageOf, makeServer, untilReady } from './own-server.ts';

const SCENARIOS = 32;
const REQUIRED = 30;

test('the official conformance suite 0.1.16 passes at least 30 of its 32 scenarios through the stack', async (t) => {
  t.timeout(300_000);
  // A server of its own: the suite ends none of its sessions, and they would be in the way of other tests.
  const name = await makeServer(t, 'suite', { image: await imageOf('conformance'), maxSessions: 60 });
  await untilReady(name);
  const directory = await mkdtemp(join(tmpdir(), 'gantry-conformance-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const output = await runSuite([
    'server',
    '--url',
    `${baseUrl}/mcp/${name}`,
    '--suite',
    'all',
    '-o',
    directory,
  ]);
  const summary = output.slice(output.lastIndexOf('SUMMARY'));
  const passed = [...summary.matchAll(/^✓ ([\w-]+)/gm)].map(([, name]) => name);
  const failed = [...summary.matchAll(/^✗ ([\w-]+)/gm)].map(([, name]) => name);
  t.log(
    `${passed.length} of ${passed.length + failed.length} scenarios passed; failed: ${failed.join(', ') || 'none'}`,
  );
  t.is(passed.length + failed.length, SCENARIOS, output.slice(-3000));
  t.true(passed.length >= REQUIRED, output.slice(-3000));
});

/** Runs the suite to its end, whatever its exit code: it is the count that is judged. */
function runSuite(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('node_modules/.bin/conformance', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    child.once('error', reject).once('close', () => resolve(output));
  });
}
