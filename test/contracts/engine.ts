import { randomBytes } from 'node:crypto';
import type { ExecutionContext, TestFn } from 'ava';
import { Bench, type EngineUnderTest, LIMITS, MEGABYTE, OWNER } from './engine-bench.ts';

/** The same cases for every engine: the adapter of the real daemon, and the fake that other tests build on. */
export function engineContract(test: TestFn, makeEngine: () => Promise<EngineUnderTest>): void {
  const made: Promise<EngineUnderTest>[] = [];
  let cases = 0;

  function check(title: string, run: (t: ExecutionContext, bench: Bench) => Promise<void>): void {
    cases += 1;
    // One after the other: a real engine on a small machine is slow enough as it is.
    test.serial(title, async (t) => {
      made[0] ??= makeEngine();
      const bench = new Bench(await made[0]);
      try {
        await run(t, bench);
      } finally {
        await bench.clear();
      }
    });
  }

  check('what is written to stdin comes back, and a half-close ends the process with 0', async (t, bench) => {
    const run = await bench.start('echo');
    await run.attachment.write('hello\n');
    run.attachment.end();
    t.deepEqual(await run.attachment.closed, { error: null });
    t.is(run.stdout(), 'hello\n');
    await bench.event('die', run.id);
    const exit = (await bench.facts(run.id)).exit;
    t.like(exit, { reason: 'exited', code: 0, signal: null });
    t.false(Number.isNaN(Date.parse(exit?.at ?? '')));
  });

  check('stdout and stderr arrive apart', async (t, bench) => {
    const run = await bench.start('both');
    await run.attachment.closed;
    t.is(run.stdout(), 'out\n');
    t.is(run.stderr(), 'err\n');
  });

  check('an exit code is reported as the process gave it', async (t, bench) => {
    const run = await bench.start('exit-3');
    await bench.event('die', run.id);
    t.like((await bench.facts(run.id)).exit, { reason: 'exited', code: 3, signal: null });
  });

  check('a process ended by a signal is reported with its name', async (t, bench) => {
    const run = await bench.start('sleep');
    await bench.engine.kill(run.id);
    await bench.event('die', run.id);
    t.like((await bench.facts(run.id)).exit, { reason: 'signal', code: 137, signal: 'SIGKILL' });
  });

  check('a process that outgrows its memory is reported as oom, and the event comes', async (t, bench) => {
    const run = await bench.start('hog');
    await bench.event('oom', run.id);
    await bench.event('die', run.id);
    t.like((await bench.facts(run.id)).exit, { reason: 'oom', code: 137 });
    t.true((await bench.engine.stats(run.id)).oomKills >= 1);
  });

  check('limits and isolation read back as they were asked for', async (t, bench) => {
    const { isolation, limits } = await bench.facts((await bench.start('sleep')).id);
    t.deepEqual(limits, { ...LIMITS, memorySwapBytes: LIMITS.memoryBytes });
    const { user, ...rest } = isolation;
    t.regex(user, /^[1-9]/);
    t.deepEqual(rest, {
      network: 'none',
      readOnlyRoot: true,
      capAdd: [],
      capDrop: ['ALL'],
      noNewPrivileges: true,
      logDriver: 'none',
      ipcMode: 'private',
      cgroupnsMode: 'private',
      init: true,
      runtime: 'runc',
      privileged: false,
      binds: [],
      seccomp: null,
    });
  });

  check('a container goes from created over running and paused to exited', async (t, bench) => {
    const id = await bench.create('sleep');
    const created = await bench.facts(id);
    t.like(created, { state: 'created', startedAt: null, exit: null });
    await bench.engine.start(id);
    t.like(await bench.facts(id), { state: 'running', exit: null });
    await bench.engine.pause(id);
    t.is((await bench.facts(id)).state, 'paused');
    await bench.engine.resume(id);
    t.is((await bench.facts(id)).state, 'running');
    await bench.engine.kill(id);
    t.is((await bench.facts(id)).state, 'exited');
  });

  check('a paused process answers when it is resumed', async (t, bench) => {
    const run = await bench.start('echo');
    await bench.engine.pause(run.id);
    await bench.refused(t, bench.engine.attach(run.id), 'conflict');
    await run.attachment.write('late\n');
    await bench.engine.resume(run.id);
    await run.until(() => run.stdout() === 'late\n');
    t.is(run.stdout(), 'late\n');
  });

  check('only containers of the owner are listed, running or not', async (t, bench) => {
    const mine = [await bench.create('sleep'), (await bench.start('sleep')).id];
    const other = await bench.create('sleep', { 'gantry.owner': `${OWNER}-other` });
    const listed = (await bench.engine.list(OWNER)).map((facts) => facts.id);
    t.deepEqual([...listed].sort(), [...mine].sort());
    t.false(listed.includes(other));
  });

  check('a polite process ends on TERM, well within its grace', async (t, bench) => {
    const run = await bench.start('sleep');
    await bench.engine.stop(run.id, 30_000);
    t.like((await bench.facts(run.id)).exit, { reason: 'signal', signal: 'SIGTERM' });
  });

  check('a process that ignores TERM is killed after its grace', async (t, bench) => {
    const run = await bench.start('stubborn');
    await run.until(() => run.stdout() === 'ready\n');
    const before = performance.now();
    await bench.engine.stop(run.id, 300);
    // Timers count whole milliseconds of a coarser clock: one may end a fraction early.
    t.true(performance.now() - before >= 299);
    t.like((await bench.facts(run.id)).exit, { reason: 'signal', signal: 'SIGKILL' });
  });

  check('stopping what is down and removing what is gone are fine', async (t, bench) => {
    const run = await bench.start('exit-3');
    await bench.event('die', run.id);
    await bench.engine.stop(run.id, 1_000);
    await bench.engine.kill(run.id);
    await bench.engine.remove(run.id);
    await bench.event('destroy', run.id);
    await bench.engine.remove(run.id);
    await bench.engine.stop(run.id, 1_000);
    t.is(await bench.engine.inspect(run.id), null);
  });

  check('a running container can be removed', async (t, bench) => {
    const run = await bench.start('sleep');
    await bench.engine.remove(run.id);
    await bench.event('destroy', run.id);
    t.is(await bench.engine.inspect(run.id), null);
  });

  check('verbs on a container that does not exist are refused as not_found', async (t, bench) => {
    const nobody = 'f'.repeat(64);
    await bench.refused(t, bench.engine.start(nobody), 'not_found');
    await bench.refused(t, bench.engine.attach(nobody), 'not_found');
    await bench.refused(t, bench.engine.kill(nobody), 'not_found');
    await bench.refused(t, bench.engine.pause(nobody), 'not_found');
    await bench.refused(t, bench.engine.stats(nobody), 'not_found');
  });

  check('an image that is not there is refused as image_missing', async (t, bench) => {
    const spec = { ...bench.spec('echo'), image: 'gantry-contract/nowhere:1' };
    await bench.refused(t, bench.engine.create(spec), 'image_missing');
    t.false(await bench.engine.images.has(spec.image));
    t.is(await bench.engine.images.inspect(spec.image), null);
  });

  check('a name that is taken is refused as conflict', async (t, bench) => {
    const spec = bench.spec('echo');
    bench.keep(await bench.engine.create(spec));
    await bench.refused(t, bench.engine.create(spec), 'conflict');
  });

  check('output from before the listeners were set is not lost', async (t, bench) => {
    const id = await bench.create('both');
    const attachment = await bench.engine.attach(id);
    await bench.engine.start(id);
    await bench.event('die', id);
    const pieces = { stdout: '', stderr: '' };
    attachment.onStdout((bytes) => {
      pieces.stdout += bytes;
    });
    attachment.onStderr((bytes) => {
      pieces.stderr += bytes;
    });
    await attachment.closed;
    t.deepEqual(pieces, { stdout: 'out\n', stderr: 'err\n' });
  });

  check('eight megabytes of output arrive whole, and before the end is told', async (t, bench) => {
    const run = await bench.start('flood');
    t.deepEqual(await run.attachment.closed, { error: null });
    t.is(run.stdout().length, 8 * MEGABYTE);
  });

  check('eight megabytes of input come back byte by byte', async (t, bench) => {
    const run = await bench.start('echo');
    const line = `${randomBytes(32 * 1024).toString('hex')}\n`;
    const count = Math.ceil((8 * MEGABYTE) / line.length);
    for (let i = 0; i < count; i++) await run.attachment.write(line);
    run.attachment.end();
    await run.attachment.closed;
    t.true(run.stdout() === line.repeat(count));
  });

  check('stdin is closed for writing once the process is over', async (t, bench) => {
    const run = await bench.start('exit-3');
    await run.attachment.closed;
    await t.throwsAsync(run.attachment.write('too late\n'));
  });

  check('dropping the attachment ends the process: stdin is opened once', async (t, bench) => {
    const run = await bench.start('echo');
    run.attachment.destroy();
    t.deepEqual(await run.attachment.closed, { error: null });
    await bench.event('die', run.id);
    t.like((await bench.facts(run.id)).exit, { reason: 'exited', code: 0 });
  });

  check('statistics name use and limits', async (t, bench) => {
    const run = await bench.start('sleep');
    const stats = await bench.engine.stats(run.id);
    t.like(stats, { memoryLimitBytes: LIMITS.memoryBytes, pidsLimit: LIMITS.pids, oomKills: 0 });
    t.true(stats.pids >= 1 && stats.memoryBytes > 0 && stats.cpuPercent >= 0);
  });

  check('the engine says what it is, and ignores no limit', async (t, bench) => {
    await bench.engine.ping();
    const info = await bench.engine.info();
    t.deepEqual(info.ignoredLimits, []);
    t.regex(info.apiVersion, /^1\.\d+$/);
    t.true(info.cpus >= 1 && info.memoryBytes > 0);
  });

  test.serial(`the engine contract has ${cases} cases, and all of them were run here`, (t) => {
    t.log(`engine contract: ${cases} cases`);
    t.is(Bench.used, cases);
  });

  test.after.always(async () => {
    for (const engine of await Promise.all(made))
      for (const facts of await engine.engine.list(OWNER)) {
        await engine.engine.remove(facts.id);
      }
  });
}
