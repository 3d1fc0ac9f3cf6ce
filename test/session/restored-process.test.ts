import test from 'ava';
import type { Replica } from '../../orchestrator/replica/index.ts';
import { failsWith } from '../failure.ts';
import { TEST_SPEC } from '../fakes/fake-pools.ts';
import { notification, opened, request } from './sessions-rig.ts';
import { CALL, initialize, take, textsOf, underway, world } from './takeover-rig.ts';

const { callTimeoutMs, maxCallMs } = TEST_SPEC.timeouts;

/** The next start, while the engine is away: nothing is found until `found` is called. */
async function engineAway({ start, records, log }: ReturnType<typeof world>) {
  const next = start();
  const { promise, resolve: found } = Promise.withResolvers<Replica | null>();
  next.pools.adopted = () => promise;
  await next.sessions.restore({ sessions: records, notes: await log.notes() });
  return { ...next, found };
}

test('what is sent to a restored session while the engine is away waits as long as for an answer', async (t) => {
  const one = world();
  const id = opened(await one.start().send(initialize, null));
  const { send } = await engineAway(one);
  const sent = [
    send(request(1, 'tools/call', CALL), id),
    send(notification('notifications/roots/list_changed'), id),
  ];
  const refused = sent.map((each) => failsWith(t, each, 'call_timeout'));
  await new Promise(setImmediate);
  one.clock.advance(callTimeoutMs);
  await Promise.all(refused);
});

test('a call of a restored session can be withdrawn while the engine is away', async (t) => {
  const one = world();
  const id = opened(await one.start().send(initialize, null));
  const { send } = await engineAway(one);
  const reply = send(request(1, 'tools/call', CALL), id);
  await new Promise(setImmediate);
  await send(notification('notifications/cancelled', { requestId: 1 }), id);
  const answer = await reply;
  t.deepEqual(answer.kind === 'stream' ? await take(answer.stream, 9) : answer, []);
});

test('what a call of a restored session has waited counts for its limit', async (t) => {
  const one = world({ ...TEST_SPEC, timeouts: { ...TEST_SPEC.timeouts, callTimeoutMs: maxCallMs } });
  const id = opened(await one.start().send(initialize, null));
  const { send, found, pools } = await engineAway(one);
  const reply = send(request(1, 'stay/silent'), id);
  await new Promise(setImmediate);
  one.clock.advance(maxCallMs - 1);
  const { replica, channel } = pools.make('echo', 'echo-s-0', 'session');
  replica.lasting.takenOver({
    ...{ era: 'legacy', protocolVersion: '2025-11-25', instructions: null, capabilities: {}, serverInfo: {} },
  });
  found(replica);
  const answer = await reply;
  await new Promise(setImmediate);
  t.deepEqual(
    channel.sent.map(({ method }) => method),
    ['stay/silent'],
  );
  one.clock.advance(1);
  t.deepEqual(answer.kind === 'stream' ? textsOf(await take(answer.stream, 1)) : answer, ['call_timeout']);
});

test('a call that was sent before the restart is waited for as long as it may take', async (t) => {
  const one = world();
  const { id, event } = await underway(one.start());
  const { sessions } = await engineAway(one);
  const sender = { server: 'echo', principal: 'alice', sessionId: id };
  const stream = await sessions.resume(sender, event?.id ?? '');
  one.clock.advance(maxCallMs);
  t.deepEqual(textsOf(await take(stream, 1)), ['call_timeout']);
});
