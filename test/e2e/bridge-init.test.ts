import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import test from 'ava';
import fc from 'fast-check';
import type { SocketChannel } from '../../orchestrator/channel/index.ts';
import {
  ackFrame,
  bareFrame,
  FRAME,
  inputFrame,
  welcomeFrame,
} from '../../orchestrator/channel/socket/frames.ts';
import { bridgedProgram, bridgedScript } from './bridge-program.ts';
import { rawOwner } from './raw-owner.ts';
import { until } from './until.ts';

const MIB = 1024 * 1024;

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Collects lines with their ends. */
function collect(channel: SocketChannel): { readonly lines: string[]; readonly ends: number[] } {
  const seen = { lines: [] as string[], ends: [] as number[] };
  channel.onLine((line, end) => {
    seen.lines.push(line.toString());
    seen.ends.push(end);
  });
  return seen;
}

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

test('a signal goes on to the server and its children, and its exit is told at once', async (t) => {
  const place = await bridgedScript('trap "echo got it; exit 7" TERM; echo ready; while :; do sleep 1; done');
  const bridge = place.launch();
  const channel = await place.open();
  const { lines } = collect(channel);
  await until('it is ready', async () => lines[0] === 'ready');
  bridge.process.kill('SIGTERM');
  t.deepEqual(await channel.closed, { why: 'ended', exit: { code: 7, signal: null } });
  t.deepEqual(lines, ['ready', 'got it']);
  t.is(await bridge.over, 7);
  await place.clear();
});

test('a server that closes its output and lives on is told, and ended once nobody wants it', async (t) => {
  const place = await bridgedScript('echo last; exec sleep 600 >&- 2>&-');
  const channel = await place.open();
  const { lines } = collect(channel);
  const bridge = place.launch();
  t.deepEqual(await channel.closed, { why: 'ended' });
  t.deepEqual(lines, ['last']);
  channel.destroy('nothing more will be heard');
  t.is(await bridge.over, 143);
  await place.clear();
});

test('a server that dies of a signal is told by its number', async (t) => {
  const place = await bridgedScript('kill -SEGV $$');
  const bridge = place.launch();
  const channel = await place.open();
  t.deepEqual(await channel.closed, { why: 'ended', exit: { code: 0, signal: 11 } });
  t.is(await bridge.over, 139);
  await place.clear();
});

test('the server inherits neither the secret nor any file of the bridge', async (t) => {
  const place = await bridgedScript('env; ls /proc/self/fd | tr "\\n" " "; echo');
  const bridge = place.launch({ GREETING: 'hello' });
  const channel = await place.open();
  const { lines } = collect(channel);
  await channel.closed;
  const text = lines.join('\n');
  t.regex(text, /^GREETING=hello$/m);
  t.notRegex(text, /GANTRY/);
  t.false(text.includes(place.secret.toString('hex')));
  t.is(lines.at(-1)?.trim(), '0 1 2 3', 'its three streams, and the directory that is being listed');
  t.is(await bridge.over, 0);
  await place.clear();
});

test('a program that cannot be run is named, with the exit code of shells', async (t) => {
  for (const [program, code, why] of [
    ['/no/such/program', 127, /cannot run \/no\/such\/program: No such file/],
    ['/etc/passwd', 126, /cannot run \/etc\/passwd: Permission denied/],
  ] as const) {
    const place = await bridgedProgram([program]);
    const channel = await place.open();
    const bridge = place.launch();
    t.deepEqual(await channel.closed, { why: 'ended', exit: { code, signal: null } });
    t.regex(channel.stderr.last(1)[0]?.line ?? '', why);
    t.is(await bridge.over, code);
    await place.clear();
  }
});

test('frames are understood however they are sliced', async (t) => {
  const place = await bridgedScript('exec cat');
  const bridge = place.launch();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 300 }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat({ max: 400 }), { maxLength: 20 }),
      async (lines, cuts) => {
        const owner = await rawOwner(place);
        const bytes = Buffer.concat(lines.map((line) => inputFrame(line)));
        let at = 0;
        for (const cut of cuts) {
          owner.socket.write(bytes.subarray(at, at + cut));
          at += cut;
          await new Promise((resolve) => setImmediate(resolve));
        }
        owner.socket.write(bytes.subarray(at));
        const wanted = lines.map((line) => `${line}\n`).join('');
        await until('all came back', async () => owner.output() === wanted);
        owner.socket.write(ackFrame(owner.hello.outputFirst + wanted.length));
        owner.socket.end();
        await once(owner.socket, 'close');
      },
    ),
    { numRuns: 15 },
  );
  bridge.process.kill('SIGTERM');
  t.is(await bridge.over, 143);
  await place.clear();
});

test('nonsense is hung up on and harms neither the bridge nor its server', async (t) => {
  const place = await bridgedScript('exec cat');
  const bridge = place.launch();
  const welcome = welcomeFrame({ leaseMs: 5000, keepBytes: 1, keepLineBytes: 1, outputFrom: 0 });
  const line = inputFrame('line');
  const wrong = [
    ackFrame(2 ** 40),
    welcome,
    inputFrame('two\nlines').subarray(0, -1),
    Buffer.concat([line.subarray(0, -1), Buffer.from('x')]),
    Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}\n'),
    Buffer.from('1101000000000001', 'hex'),
    Buffer.from('11000000ffffffff', 'hex'),
    Buffer.from('1100000000000000', 'hex'),
  ];
  const anything = fc.oneof(
    fc.constantFrom(...wrong),
    fc.uint8Array({ minLength: 8, maxLength: 200 }).map((bytes) => Buffer.from([255, ...bytes])),
  );
  await fc.assert(
    fc.asyncProperty(anything, async (bytes) => {
      const owner = await rawOwner(place);
      const over = once(owner.socket, 'close');
      owner.socket.write(bytes);
      owner.socket.end();
      await over;
    }),
    { numRuns: 100 },
  );
  const channel = await place.open();
  const { lines } = collect(channel);
  await channel.send('unharmed');
  await until('it came back', async () => lines.at(-1) === 'unharmed');
  channel.end();
  t.is(await bridge.over, 0);
  await place.clear();
});

test('the bridge is small: under 2 MiB resident after a hundred thousand calls', async (t) => {
  const place = await bridgedScript('exec cat');
  const bridge = place.launch();
  const channel = await place.open();
  let left = 100_000;
  const over = Promise.withResolvers<void>();
  channel.onLine(() => {
    left--;
    if (left >= 64) void channel.send('{"jsonrpc":"2.0","id":1,"result":{}}');
    if (left === 0) over.resolve();
  });
  for (let i = 0; i < 64; i++) void channel.send('{"jsonrpc":"2.0","id":1,"result":{}}');
  await over.promise;
  const bytes = await residentBytes(bridge.pid);
  t.log(`${Math.round(bytes / 1024)} KiB resident`);
  t.true(bytes < 2 * MIB);
  channel.end();
  t.is(await bridge.over, 0);
  await place.clear();
});
