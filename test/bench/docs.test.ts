import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { type Target, targetsOf } from '../../bench/targets.ts';
import { type Run, writeDocs } from '../../bench/write-docs.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const load = (perSecond: number, p50: number, p99: number, errors = 0) => ({
  count: perSecond,
  p50,
  p90: p50,
  p99,
  max: p99,
  perSecond,
  errors,
  firstError: null,
  cpuUs: null,
});

const echo = (inFlight: number, own: number, errors = 0) => ({
  work: 'echo',
  inFlight,
  perSecond: null,
  sides: {
    'bare http': [load(1000, 1, 2), load(2000, 1, 2)],
    supergateway: [load(500, 2, 4), load(500, 2, 4)],
    'gantry socket': [load(own, 1, 3, errors), load(2 * own, 1, 3, errors)],
  },
});

const RUN: Run = {
  at: '2026-01-01T00:00:00.000Z',
  command: 'npm run bench',
  machine: { cpu: 'a & b', cores: 2, memoryGib: 1, node: 'v1', load: 1, loadAtEnd: 2 },
  results: { echo: [echo(1, 900), echo(64, 900), echo(256, 700, 1)] },
};

const named = (targets: readonly Target[], start: string) =>
  targets.find(({ what }) => what.startsWith(start));

test('a target is a ratio of the rounds of one run, and its median decides', (t) => {
  const targets = targetsOf(RUN.results);
  t.like(named(targets, 'echo, 64'), { measured: { median: 0.9, least: 0.9, most: 0.9 }, isMet: true });
  t.like(named(targets, 'echo, 1 in'), { measured: { median: 0.5 }, isMet: true });
  t.like(named(targets, 'echo, 256 in flight: calls'), { measured: { median: 0.778 }, isMet: false });
  t.like(named(targets, 'echo, 256 in flight: errors'), { measured: { median: 1 }, isMet: false });
  t.like(named(targets, '1 MiB'), { measured: null, isMet: null });
});

test('the page gets the table and the picture of a run, and nothing else of it changes', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'gantry-bench-docs-'));
  t.teardown(() => rm(root, { recursive: true }));
  await mkdir(join(root, 'docs'));
  const path = join(root, 'docs', 'performance.md');
  await cp(join(ROOT, 'docs', 'performance.md'), path);
  const before = await readFile(path, 'utf8');
  await writeDocs(RUN, root);
  const page = await readFile(path, 'utf8');
  t.regex(page, /\| echo, 64 in flight[^|]*\| at least 0\.8 \| 0\.9 \| met \|/);
  const outside = (text: string) => text.replace(/<!-- bench:[\s\S]*<!-- \/bench -->/, '');
  t.is(outside(page), outside(before));
  await writeDocs(RUN, root);
  t.is(await readFile(path, 'utf8'), page);
  const picture = await readFile(join(root, 'docs', 'performance.svg'), 'utf8');
  t.regex(picture, /^<svg [\s\S]*gantry socket[\s\S]*<\/svg>\n$/);
  await writeFile(path, 'a page without marks');
  await t.throwsAsync(writeDocs(RUN, root), { message: /has no "<!-- bench/ });
});
