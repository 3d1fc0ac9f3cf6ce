import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { EngineError } from '../../orchestrator/engine/index.ts';
import { Facts } from '../../orchestrator/kernel/index.ts';
import { Builds } from '../../orchestrator/lifecycle/images/builds.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';

function setUp() {
  const engine = new FakeEngine();
  const clock = new FakeClock();
  const builds = new Builds({ engine, clock, facts: new Facts(), owner: 'gantry' });
  const run = (server: string) =>
    builds.run({ server, tag: `${server}:1`, context: () => Readable.from(['']), buildArgs: {} });
  /** A build that goes on until it is told to end. */
  const slow = (server: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    engine.images.slow.set(server, promise);
    return { over: run(server), end: resolve, fail: reject };
  };
  const begun = async () => {
    await turn();
    return engine.images.builds.map(({ tag }) => tag.replace(':1', ''));
  };
  return { clock, run, slow, begun };
}

test('two builds run at a time, in the order they were asked for', async (t) => {
  const { slow, begun } = setUp();
  const [a, b, c] = [slow('a'), slow('b'), slow('c')];
  t.deepEqual(await begun(), ['a', 'b']);
  b.end();
  t.deepEqual(await begun(), ['a', 'b', 'c']);
  a.end();
  c.end();
  await Promise.all([a.over, b.over, c.over]);
});

test('builds of minutes give their places to the next, so that quick ones do not wait for them', async (t) => {
  const { clock, slow, run, begun } = setUp();
  const long = [slow('a'), slow('b')];
  const quick = run('quick');
  clock.advance(29_000);
  t.deepEqual(await begun(), ['a', 'b']);
  clock.advance(1_000);
  await quick;
  t.deepEqual(await begun(), ['a', 'b', 'quick']);
  for (const { end } of long) end();
  await Promise.all(long.map(({ over }) => over));
});

test('never more than four builds run, however long they take', async (t) => {
  const { clock, slow, begun } = setUp();
  const long = ['a', 'b', 'c', 'd', 'e'].map(slow);
  for (let round = 0; round < 4; round += 1) {
    await turn();
    clock.advance(60_000);
  }
  t.deepEqual(await begun(), ['a', 'b', 'c', 'd']);
  long[3]?.end();
  t.deepEqual(await begun(), ['a', 'b', 'c', 'd', 'e']);
  for (const { end } of long) end();
  await Promise.all(long.map(({ over }) => over));
});

test('a build that fails after it has given its place away fails for who asked, and for nobody else', async (t) => {
  const { clock, slow, run, begun } = setUp();
  const long = slow('a');
  await begun();
  clock.advance(60_000);
  await turn();
  const error = new EngineError('build_failed', 'no', { output: [] });
  long.fail(error);
  t.is(await t.throwsAsync(long.over), error);
  await t.notThrowsAsync(run('b'));
});
