import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { bareFrame, FRAME, inputFrame } from '../../orchestrator/channel/socket/frames.ts';
import { bridgedScript, collect, residentBytes } from './bridge-program.ts';
import { rawOwner } from './raw-owner.ts';
import { until } from './until.ts';

const MIB = 1024 * 1024;

test('half a line of an owner that is gone never reaches the server', async (t) => {
  const place = await bridgedScript('exec cat');
  const bridge = place.launch();
  const first = await rawOwner(place);
  const whole = inputFrame('whole');
  first.socket.write(Buffer.concat([whole, inputFrame('this line was cut').subarray(0, 20)]));
  await until('the whole line came back', async () => first.output() === 'whole\n');
  first.socket.destroy();
  const second = await rawOwner(place);
  t.deepEqual(second.hello, { outputFirst: 0, outputEnd: 6, linesTaken: 1 });
  second.socket.write(Buffer.concat([inputFrame('next'), bareFrame(FRAME.end)]));
  await until('it came back', async () => second.output() === 'whole\nnext\n');
  second.socket.write(bareFrame(FRAME.bye));
  t.is(await bridge.over, 0);
  await place.clear();
});

test('over many owners every line is taken once and every answer comes once, whatever was acknowledged', async (t) => {
  const place = await bridgedScript('exec cat');
  const bridge = place.launch();
  const random = (below: number): number => (randomBytes(4).readUInt32BE() % below) + 1;
  const sent: string[] = [];
  const processed: string[] = [];
  for (let owner = 0; owner < 25; owner++) {
    const channel = await place.open({ acknowledge: 'owner' });
    const { lines, ends } = collect(channel);
    const { linesTaken } = await channel.connected;
    // What was not taken never reaches the server, so it is sent again.
    sent.length = linesTaken;
    const count = random(200);
    for (let i = 0; i < count; i++) {
      const line = `${owner} ${i} ${'x'.repeat(random(2000))}`;
      sent.push(line);
      void channel.send(line).catch(() => {}); // those that were still here when the owner left
    }
    await until('some came', async () => lines.length > 0);
    const taken = random(lines.length);
    processed.push(...lines.slice(0, taken));
    channel.acknowledge(ends[taken - 1] ?? 0);
    channel.detach();
  }
  const last = await place.open();
  const { lines } = collect(last);
  sent.length = (await last.connected).linesTaken;
  last.end();
  t.deepEqual(await last.closed, { why: 'ended', exit: { code: 0, signal: null } });
  t.deepEqual([...processed, ...lines], sent);
  t.is(await bridge.over, 0);
  await place.clear();
});

test('without an owner the server ends after the lease, politely, and the bridge with it', async (t) => {
  const place = await bridgedScript('cat; echo end of input >&2; exit 5');
  const bridge = place.launch();
  const owner = await rawOwner(place, 300);
  const before = performance.now();
  owner.socket.destroy();
  t.is(await bridge.over, 5);
  t.true(performance.now() - before >= 290);
  await place.clear();
});

test('the lease does not run while its container is paused', async (t) => {
  const place = await bridgedScript('exec cat');
  const bridge = place.launch();
  const owner = await rawOwner(place, 1500);
  bridge.process.kill('SIGSTOP'); // the owner goes while it is paused, and comes back when the lease is long over
  owner.socket.destroy();
  await delay(2000); // time itself is the subject: longer than the lease
  const waiting = place.open({ leaseMs: 1500 });
  bridge.process.kill('SIGCONT');
  const channel = await waiting;
  const { lines } = collect(channel);
  await channel.send('still here');
  await until('it answers', async () => lines[0] === 'still here');
  channel.end();
  t.is(await bridge.over, 0);
  await place.clear();
});

test('a server that minds neither the end of its input nor TERM is killed', async (t) => {
  const place = await bridgedScript('trap "" TERM; while :; do sleep 0.1; done');
  const bridge = place.launch();
  const owner = await rawOwner(place, 100);
  owner.socket.destroy();
  t.is(await bridge.over, 137);
  await place.clear();
});

test('output that nobody acknowledges is kept up to a bound, then the server waits', async (t) => {
  const lines = 1_000_000;
  const place = await bridgedScript(`exec seq 1000001 ${1_000_000 + lines}`);
  const bridge = place.launch();
  const first = await place.open({ acknowledge: 'owner' });
  const seen = collect(first);
  await until('the bound is reached', async () => (seen.ends.at(-1) ?? 0) >= MIB);
  const kept = seen.ends.at(-1) ?? 0;
  t.true(kept < MIB + 128 * 1024, `${kept} bytes were sent without an acknowledgement`);
  t.true((await residentBytes(bridge.pid)) < 4 * MIB);
  first.detach();
  const next = await place.open();
  const rest = collect(next);
  await next.closed;
  t.is(rest.lines.length, lines);
  t.true(rest.lines.every((line, index) => line === String(1_000_001 + index)));
  t.is(await bridge.over, 0);
  await place.clear();
});

test('a line longer than what is kept passes whole', async (t) => {
  const bytes = 3 * MIB;
  const place = await bridgedScript(`head -c ${bytes} /dev/zero | tr '\\0' x; echo; echo after`);
  const bridge = place.launch();
  const channel = await place.open({ maxLineBytes: 4 * MIB, acknowledge: 'owner' });
  const { lines, ends } = collect(channel);
  await until('it came', async () => lines.length > 0);
  channel.acknowledge(ends[0] ?? 0);
  await until('what follows came', async () => lines[1] === 'after');
  t.is(lines[0]?.length, bytes);
  channel.acknowledge(ends[1] ?? 0);
  t.is(await bridge.over, 0);
  await place.clear();
});

test('stderr without a reader is read on: the newest is kept and the rest counted', async (t) => {
  const place = await bridgedScript('read go; seq 200000 >&2; echo done; exec cat');
  const bridge = place.launch();
  const first = await place.open();
  await first.connected;
  await first.send('go');
  first.detach();
  const next = await place.open();
  const { lines } = collect(next);
  const errors: string[] = [];
  next.stderr.follow(({ line }) => errors.push(line));
  await until('the server got past it', async () => lines[0] === 'done');
  await until('its last line came', async () => errors.at(-1) === '200000');
  t.regex(errors.join(' '), /\d+ bytes of stderr were not read/);
  next.end();
  t.is(await bridge.over, 0);
  await place.clear();
});
