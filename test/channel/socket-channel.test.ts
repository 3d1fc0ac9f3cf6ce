import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import type { SocketChannel } from '../../orchestrator/channel/index.ts';
import { channelBackPressure, channelContract, type StartProgram } from '../contracts/channel.ts';
import { fakePrograms } from '../contracts/channel-programs.ts';
import { FakeBridge } from '../fakes/fake-bridge.ts';
import { bridged, replicaPlace } from './socket-bench.ts';

const start: StartProgram = async (name, maxLineBytes) => {
  const { channel, bridge, clear } = await bridged(fakePrograms[name], { maxLineBytes });
  await channel.connected;
  return { channel, kill: async () => bridge.die(), clear };
};

channelContract(test, 'socket', start);
channelBackPressure(test, start);

/** Resolves with the next lines, each with where it ends. */
function lines(channel: SocketChannel, count: number): Promise<[string, number][]> {
  const { promise, resolve } = Promise.withResolvers<[string, number][]>();
  const seen: [string, number][] = [];
  channel.onLine((line, end) => {
    seen.push([line.toString(), end]);
    if (seen.length === count) resolve(seen);
  });
  return promise;
}

test('the next owner gets what the one before has not acknowledged, and nothing twice', async (t) => {
  const one = await bridged(fakePrograms.echo, { acknowledge: 'owner' });
  t.teardown(one.clear);
  t.deepEqual(await one.channel.connected, { outputFrom: 0, linesTaken: 0 });
  const seen = lines(one.channel, 3);
  for (const line of ['a', 'bb', 'ccc']) await one.channel.send(line);
  const [, second] = await seen;
  t.deepEqual(second, ['bb', 5]);
  one.channel.acknowledge(5);
  one.channel.detach();
  const next = await one.open();
  const rest = lines(next, 2);
  t.deepEqual(await next.connected, { outputFrom: 5, linesTaken: 3 });
  await next.send('dddd');
  t.is(next.linesSent, 4);
  t.deepEqual(await rest, [
    ['ccc', 9],
    ['dddd', 14],
  ]);
});

test('an owner that knows better says from where on it wants the output', async (t) => {
  const one = await bridged(fakePrograms.echo, { acknowledge: 'owner' });
  t.teardown(one.clear);
  const seen = lines(one.channel, 2);
  await one.channel.send('first');
  await one.channel.send('second');
  await seen;
  one.channel.detach();
  const next = await one.open({ resumeFrom: 6 });
  const [line] = await lines(next, 1);
  t.deepEqual(line, ['second', 13]);
  next.detach();
  const wrong = await one.open({ resumeFrom: 14 });
  await t.throwsAsync(wrong.connected);
  t.regex(
    JSON.stringify(await wrong.closed.then((end) => ({ ...end, text: String(Object(end).error) }))),
    /from 14 on/,
  );
});

test('leaving a replica ends nothing: what waits for it goes on waiting', async (t) => {
  const one = await bridged(fakePrograms.echo);
  t.teardown(one.clear);
  await one.channel.connected;
  one.channel.detach();
  await t.throwsAsync(one.channel.send('too late'), { message: /closed/ });
  const next = await one.open();
  await next.connected; // the bridge has left the first owner by now
  t.is(await Promise.race([one.channel.closed, Promise.resolve('open')]), 'open');
});

test('an exit that nobody heard of is told to the next owner, with the last output', async (t) => {
  const one = await bridged(fakePrograms.echo, { acknowledge: 'owner' });
  t.teardown(one.clear);
  await one.channel.connected;
  const seen = lines(one.channel, 1);
  await one.channel.send('only');
  await seen;
  one.channel.detach();
  one.bridge.process.stdout('last words\n');
  one.bridge.process.exit(4);
  const next = await one.open();
  const rest = lines(next, 2);
  t.deepEqual(await next.closed, { why: 'ended', exit: { code: 4, signal: null } });
  t.deepEqual(
    (await rest).map(([line]) => line),
    ['only', 'last words'],
  );
});

// The engine's own init keeps the outputs open, so an attach channel cannot tell.
test('a process that closes its output and lives on ends the channel', async (t) => {
  const one = await bridged((io) => {
    io.stdout('last\n');
    io.closeOutput();
  });
  t.teardown(one.clear);
  const seen = lines(one.channel, 1);
  t.deepEqual(await one.channel.closed, { why: 'ended' });
  t.deepEqual(await seen, [['last', 5]]);
});

test('nobody is let in without the secret, and the socket is gone once the bridge is in', async (t) => {
  const place = await replicaPlace();
  t.teardown(place.clear);
  const channel = await place.open();
  const path = join(place.directory, 'socket');
  const hello = Buffer.alloc(68);
  hello[0] = 1;
  hello.writeUInt32BE(60, 4);
  hello.writeUInt32BE(1, 8);
  const nearly = Buffer.from(hello);
  place.secret.copy(nearly, 12);
  nearly[43] = (nearly[43] ?? 0) ^ 1;
  for (const guess of [hello, nearly, Buffer.from('{"jsonrpc":"2.0"}\n'.repeat(10)), Buffer.alloc(200)]) {
    const socket = connect(path);
    const heard: Buffer[] = [];
    socket.on('data', (bytes) => heard.push(bytes));
    socket.on('error', () => {}); // hung up on, which is what is expected
    socket.write(guess);
    await once(socket, 'close');
    t.deepEqual(heard, []);
  }
  const socket = connect(path);
  socket.write(Buffer.concat([nearly.subarray(0, 12), place.secret, nearly.subarray(44)]));
  t.deepEqual(await channel.connected, { outputFrom: 0, linesTaken: 0 });
  t.deepEqual(await readdir(place.directory), []);
  socket.destroy();
  t.deepEqual(await channel.closed, { why: 'ended' });
});

test('who connects and says nothing, many times over, keeps nobody out', async (t) => {
  const one = await replicaPlace();
  t.teardown(one.clear);
  const channel = await one.open();
  const silent = Array.from({ length: 50 }, () => connect(join(one.directory, 'socket')));
  for (const socket of silent) socket.on('error', () => {}); // hung up on, which is what is expected
  await Promise.all(silent.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
  const bridge = new FakeBridge({ ...one, program: fakePrograms.echo });
  await channel.connected;
  bridge.die();
  t.is((await channel.closed).why, 'ended');
  for (const socket of silent) socket.destroy();
});

test('bytes that are no frames end the channel as broken', async (t) => {
  const one = await bridged(fakePrograms.echo);
  t.teardown(one.clear);
  await one.channel.connected;
  one.bridge.babble(Buffer.from('{"jsonrpc":"2.0","id":1}\n'));
  const end = await one.channel.closed;
  t.is(end.why, 'transport');
});
