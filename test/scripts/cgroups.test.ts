import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';

const run = promisify(execFile);

/** A directory that looks like the root of a cgroup tree (v2): plain files, so writing is recorded and moves nothing. */
function treeWith(t: ExecutionContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'gantry-cgroup-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  return root;
}

/** Runs a line of shell with the entrypoint's functions, and `mount` replaced by one that only tells. */
const shell = (line: string) =>
  run('bash', [
    '-euc',
    `. compose/dind/cgroups.sh; mount() { echo "mount $*"; }; mountpoint() { true; }; ${line}`,
  ]);

test('with cgroup v2 every process is moved to a child and all controllers are handed down', async (t) => {
  const root = treeWith(t, { 'cgroup.controllers': 'cpu memory pids\n', 'cgroup.procs': '1\n7\n' });
  mkdirSync(join(root, 'init'));
  const { stdout } = await shell(`make_cgroups_writable ${root}`);
  t.is(stdout, `mount -o remount,bind,rw ${root}\n`);
  t.is(readFileSync(join(root, 'init', 'cgroup.procs'), 'utf8'), '1\n7\n');
  t.is(readFileSync(join(root, 'cgroup.subtree_control'), 'utf8'), '+cpu +memory +pids\n');
});

test('with cgroup v2 the move is repeated while controllers cannot be enabled', async (t) => {
  const root = treeWith(t, { 'cgroup.controllers': 'memory\n', 'cgroup.procs': '1\n' });
  const refusingTwice = 'n=0; enable_controllers() { n=$((n + 1)); [ "$n" -gt 2 ]; }';
  await shell(`${refusingTwice}; nest_cgroup_v2 ${root}`);
  t.is(readFileSync(join(root, 'init', 'cgroup.procs'), 'utf8'), '1\n1\n1\n');
});

test('with cgroup v2 the engine does not start when controllers stay unavailable', async (t) => {
  const root = treeWith(t, { 'cgroup.controllers': 'memory\n', 'cgroup.procs': '1\n' });
  await t.throwsAsync(shell(`enable_controllers() { false; }; nest_cgroup_v2 ${root}`), {
    message: /cannot enable controllers/,
  });
});

test('with cgroup v1 each controller is made writable by itself', async (t) => {
  const root = treeWith(t, {});
  for (const controller of ['memory', 'pids']) mkdirSync(join(root, controller));
  const { stdout } = await shell(`make_cgroups_writable ${root}`);
  t.is(stdout, `mount -o remount,bind,rw ${root}/memory\nmount -o remount,bind,rw ${root}/pids\n`);
});
