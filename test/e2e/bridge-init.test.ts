import { once } from 'node:events';
import test from 'ava';
import fc from 'fast-check';
import { ackFrame, inputFrame, welcomeFrame } from '../../orchestrator/channel/socket/frames.ts';
import { bridgedProgram, bridgedScript, collect, residentBytes } from './bridge-program.ts';
import { rawOwner } from './raw-owner.ts';
import { until } from './until.ts';

const MIB = 1024 * 1024;

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
