import test from 'ava';
import fc from 'fast-check';
import type { ServerMessage } from '../../orchestrator/channel/index.ts';
import { type Fact, Facts, systemClock } from '../../orchestrator/kernel/index.ts';
import { helloKey, Replica } from '../../orchestrator/replica/index.ts';
import { FakeChannel } from '../fakes/fake-channel.ts';
import { answersInitialize } from '../fakes/fake-pools.ts';
import { neverTrips } from '../fakes/policies.ts';

const HELLO = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
const OPTIONS = { callTimeoutMs: 1000, maxCallMs: 1000 };

function spare() {
  const facts = new Facts();
  const stated: Fact[] = [];
  facts.listen((fact) => stated.push(fact));
  const channel = new FakeChannel();
  answersInitialize(channel);
  const identity = {
    server: 'one',
    id: 'one-s-1',
    generation: 1,
    containerId: 'c',
    heldBy: 'spare' as const,
    restarts: 0,
    startedAt: '',
  };
  const replica = new Replica({ identity, channel, facts, clock: systemClock, breaker: neverTrips });
  replica.waitForHolder();
  const methods = () => channel.sent.map(({ method }) => method);
  return { replica, channel, stated, methods };
}

const log = (data: string) => ({ method: 'notifications/message', params: { level: 'info', data } });

test('a handshake in advance is not announced: that is left to the client who gets the spare', async (t) => {
  const { replica, methods } = spare();
  await replica.greetAhead(HELLO, 1000);
  t.deepEqual(methods(), ['initialize']);
  const outcome = await replica.initialize({ ...HELLO, _meta: { x: 1 } }, { ...OPTIONS, announce: false });
  t.like(outcome, { ok: true, result: { serverInfo: { name: 'echo' } } });
  t.deepEqual(methods(), ['initialize'], 'it was answered from what is known');
});

test('who says something else in the handshake is heard by the process itself', async (t) => {
  const { replica, methods } = spare();
  await replica.greetAhead(HELLO, 1000);
  await replica.initialize({ ...HELLO, capabilities: { roots: {} } }, { ...OPTIONS, announce: false });
  t.deepEqual(methods(), ['initialize', 'initialize']);
});

test('what the process says before anybody holds it reaches who does, in order and once', async (t) => {
  const { replica, channel, stated } = spare();
  channel.print(log('before the handshake'));
  await replica.greetAhead(HELLO, 1000);
  channel.print(log('after it'));
  channel.print({ method: 'notifications/tools/list_changed' });
  const heard: ServerMessage[] = [];
  replica.listen((message) => heard.push(message));
  channel.print(log('live'));
  t.deepEqual(
    heard.map(({ method, params }) => params?.data ?? method),
    ['before the handshake', 'after it', 'notifications/tools/list_changed', 'live'],
  );
  t.is(stated.filter(({ type }) => type === 'line.dropped').length, 0);
});

test('a ping is answered while nobody holds it, and what a pool does not want is refused and counted', async (t) => {
  const { replica, channel, stated } = spare();
  channel.print({ id: 'p', method: 'ping' });
  channel.print({ id: 'r', method: 'roots/list' });
  channel.print(log('lost'));
  await replica.greet(1000);
  const answers = channel.sent.filter(({ method }) => method === undefined);
  t.deepEqual(
    answers.map(({ id, result }) => [id, result === undefined ? 'error' : 'result']),
    [
      ['p', 'result'],
      ['r', 'error'],
    ],
  );
  const dropped = stated.flatMap((fact) => (fact.type === 'line.dropped' ? [fact.why] : []));
  t.deepEqual(dropped, ['unattributed_request', 'unattributed_notification']);
});

test('a process that does not stop talking is kept only so much of', (t) => {
  const { replica, channel, stated } = spare();
  for (let line = 0; line < 500; line++) channel.print(log(String(line)));
  const heard: ServerMessage[] = [];
  replica.listen((message) => heard.push(message));
  t.is(heard.length, 100);
  t.is(stated.filter(({ type }) => type === 'line.dropped').length, 400);
});

test('the key of a handshake does not depend on the order of its members, and on every value in them', (t) => {
  const shuffled = {
    clientInfo: { version: '1', name: 'c' },
    capabilities: {},
    protocolVersion: '2025-11-25',
  };
  t.is(helloKey(HELLO), helloKey(shuffled));
  t.not(helloKey(HELLO), helloKey({ ...HELLO, clientInfo: { name: 'd', version: '1' } }));
  t.is(helloKey({ ...HELLO, somethingNew: true }), null, 'what is not known here cannot be promised');
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      const sameKey =
        helloKey({ ...HELLO, capabilities: one }) === helloKey({ ...HELLO, capabilities: other });
      return !isSame || sameKey;
    }),
  );
});
