import test from 'ava';
import type { ChannelEnd } from '../../orchestrator/channel/index.ts';
import { howEnded } from '../../orchestrator/lifecycle/how-ended.ts';
import { containerSpec } from '../fakes/container-spec.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeEngine } from '../fakes/fake-engine.ts';

/** A container that runs on, and what the channel said about its end. */
async function ended(channelEnd: ChannelEnd, isServing = true) {
  const engine = new FakeEngine({ programs: { program: () => {} } });
  const clock = new FakeClock();
  const containerId = await engine.create(containerSpec());
  await engine.start(containerId);
  const down = Promise.withResolvers<null>();
  const found = howEnded({
    engine,
    clock,
    containerId,
    channelEnd,
    down: down.promise,
    isServing,
    isGivenUp: () => false,
  });
  return { engine, clock, containerId, down, found };
}

test('an exit that the channel tells of is believed before the engine knows', async (t) => {
  const { found, engine, containerId } = await ended({ why: 'ended', exit: { code: 0, signal: null } });
  t.like(await found, { what: 'exit', exit: { reason: 'exited', code: 0, signal: null } });
  const crashed = await ended({ why: 'ended', exit: { code: 0, signal: 11 } });
  t.like(await crashed.found, { what: 'exit', exit: { reason: 'signal', code: 139, signal: 'SIGSEGV' } });
  t.is((await engine.inspect(containerId))?.state, 'running', 'nothing was killed for it');
});

test('where memory may have run out the engine is asked', async (t) => {
  for (const exit of [
    { code: 0, signal: 9 },
    { code: 1, signal: null },
  ]) {
    const { found, engine, containerId, down } = await ended({ why: 'ended', exit });
    engine.process(containerId).outOfMemory();
    await engine.stop(containerId, 0);
    down.resolve(null);
    t.like(await found, { what: 'exit', exit: { reason: 'oom' } });
  }
});

test('one that was asked to end is down before its end is told, so that it can be started again', async (t) => {
  const end = { why: 'ended', exit: { code: 0, signal: null } } as const;
  const { found, engine, clock, containerId } = await ended(end, false);
  await clock.advance(1500);
  t.like(await found, { what: 'exit', exit: { reason: 'exited', code: 0 } });
  t.is((await engine.inspect(containerId))?.state, 'exited');
});
