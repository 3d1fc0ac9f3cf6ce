import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { Facts } from '../../orchestrator/kernel/index.ts';
import { Replica } from '../../orchestrator/replica/index.ts';
import { FakeChannel, type SentMessage } from '../fakes/fake-channel.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { neverTrips } from '../fakes/policies.ts';

/** A ready replica whose process answers what `answers` says, and leaves the rest alone. */
async function rig(answers: (method: string) => object | null, capabilities: object = { tools: {} }) {
  const channel = new FakeChannel();
  const clock = new FakeClock();
  const identity = {
    server: 's',
    id: 's-1',
    generation: 1,
    containerId: 'c',
    heldBy: 'pool',
    restarts: 0,
    startedAt: '',
  } as const;
  const replica = new Replica({ identity, channel, facts: new Facts(), clock, breaker: neverTrips });
  channel.onSent = ({ id, method }) => {
    const answer = method === 'initialize' ? { result: { capabilities } } : answers(method ?? '');
    if (id !== undefined && answer !== null) channel.print({ id, ...answer });
  };
  await replica.greet(1000);
  channel.sent.length = 0;
  const asked = () => channel.sent.flatMap(({ method }: SentMessage) => method ?? []);
  return { replica, channel, clock, asked };
}

test('a server with ping is asked for nothing else once it has answered one', async (t) => {
  const { replica, asked } = await rig((method) => (method === 'ping' ? { result: {} } : null));
  t.is(await replica.probe(1000), 'answered');
  t.is(await replica.probe(1000), 'answered');
  t.deepEqual(asked(), ['ping', 'tools/list', 'ping']);
});

test('an error is an answer', async (t) => {
  const { replica } = await rig(() => ({ error: { code: -32601, message: 'no such method' } }), {});
  t.is(await replica.probe(1000), 'answered');
});

test('a server that leaves ping without an answer lives by its list of tools, and is not asked for ping again', async (t) => {
  const { replica, asked, clock } = await rig((method) =>
    method === 'tools/list' ? { result: { tools: [] } } : null,
  );
  t.is(await replica.probe(1000), 'answered');
  clock.advance(1000);
  await setImmediate();
  t.is(await replica.probe(1000), 'answered');
  t.deepEqual(
    asked().filter((method) => method !== 'notifications/cancelled'),
    ['ping', 'tools/list', 'tools/list'],
  );
});

test('silence is silence after its time, and a channel that ends is something else', async (t) => {
  const { replica, clock, channel } = await rig(() => null);
  const silent = replica.probe(1000);
  clock.advance(1000);
  t.is(await silent, 'silent');
  const over = replica.probe(1000);
  replica.stopped();
  channel.end();
  t.is(await over, 'over');
});

test('a server without a handshake is asked what it was asked at first', async (t) => {
  const { replica, asked, channel } = await rig(() => ({ result: {} }));
  await replica.discover(1000);
  t.is(await replica.probe(1000), 'answered');
  t.deepEqual(asked(), ['server/discover', 'server/discover']);
  t.deepEqual(channel.sent[1]?.params, channel.sent[0]?.params);
});

test('a probe is no call: nothing is in flight, and a drain does not wait for it', async (t) => {
  const { replica, clock } = await rig(() => null);
  const probe = replica.probe(1000);
  t.is(replica.callsInFlight, 0);
  await replica.drain(10_000);
  t.is(replica.state.name, 'draining');
  t.is(replica.silence.owedSinceMs, null);
  clock.advance(1000);
  t.is(await probe, 'silent');
});
