import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A place for one test's unix socket, gone with the test. */
export function socketPathOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'engine.sock');
}
