import { spawnSync } from 'node:child_process';
import test from 'ava';
import { TimerLists } from '../../orchestrator/kernel/timer-lists.ts';

// Tests of time itself: what is waited for is that it passes.

test('whoever waits is told in the order in which it is due, and not before', async (t) => {
  const timers = new TimerLists();
  const startedAt = performance.now();
  const told: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const after = (delayMs: number, name: string) =>
    timers.after(delayMs, () => {
      told.push(name);
      if (performance.now() - startedAt < delayMs) told.push(`${name} came too early`);
      if (told.length >= 4) resolve();
    });
  after(60, 'last');
  after(20, 'first');
  after(20, 'second');
  after(40, 'third');
  await promise;
  t.deepEqual(told, ['first', 'second', 'third', 'last']);
});

test('what is cancelled is never told: alone, first, last, in the middle, by one that is due in the same turn', async (t) => {
  const timers = new TimerLists();
  const told: string[] = [];
  timers.after(30, () => told.push('alone'))();
  const cancels = ['first', 'a', 'middle', 'b', 'last'].map((name) =>
    timers.after(20, () => told.push(name)),
  );
  for (const at of [0, 2, 4, 4]) cancels[at]?.();
  timers.after(20, () => cancelC());
  const cancelC = timers.after(20, () => told.push('c'));
  await new Promise<void>((resolve) => timers.after(50, resolve));
  t.deepEqual(told, ['a', 'b']);
});

test('a task may set the same time again, and go on from there', async (t) => {
  const timers = new TimerLists();
  const told: string[] = [];
  await new Promise<void>((resolve) => {
    timers.after(10, () => {
      told.push('once');
      timers.after(10, () => {
        told.push('again');
        resolve();
      });
    });
    timers.after(10, () => told.push('behind it'));
  });
  t.deepEqual(told, ['once', 'behind it', 'again']);
});

test('nobody keeps the process who does not wait any more; a task that throws takes no other with it', (t) => {
  const lists = JSON.stringify(new URL('../../orchestrator/kernel/timer-lists.ts', import.meta.url).href);
  const script = (then: string) => `
    const { TimerLists } = await import(${lists});
    const timers = new TimerLists();
    timers.after(20_000, () => {})();
    ${then}`;
  const run = (then: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script(then)], {
      timeout: 15_000,
      encoding: 'utf8',
    });
  t.is(run('').status, 0);
  t.is(
    run(`timers.after(300, () => {})(); timers.after(300, () => process.stdout.write('waited'));`).stdout,
    'waited',
  );
  const throwing = `
    process.on('uncaughtException', (error) => process.stdout.write(error.message + ' '));
    timers.after(10, () => { throw new Error('thrown'); });
    timers.after(10, () => process.stdout.write('told'));`;
  t.is(run(throwing).stdout, 'thrown told');
  // More than `setTimeout` takes: that would fire again and again, with a warning of Node's.
  const long = `
    const cancel = timers.after(2 ** 40, () => process.stdout.write('too early'));
    timers.after(30, cancel);`;
  const { stdout, stderr } = run(long);
  t.deepEqual({ stdout, stderr }, { stdout: '', stderr: '' });
});
