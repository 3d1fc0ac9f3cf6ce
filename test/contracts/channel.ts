import { setImmediate } from 'node:timers/promises';
import type { ExecutionContext, TestFn } from 'ava';
import type { Channel } from '../../orchestrator/channel/index.ts';
import { until } from '../e2e/until.ts';
import { FLOOD_LINES, LONG_LINE_BYTES, type ProgramName, STDERR_FLOOD_BYTES } from './channel-programs.ts';

export const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** A program that runs, and the channel to it. */
export type ChannelUnderTest = {
  readonly channel: Channel;
  /** Ends the process as SIGKILL does. */
  readonly kill: () => Promise<void>;
  /** Leaves nothing behind. */
  readonly clear: () => Promise<void>;
};

export type StartProgram = (name: ProgramName, maxLineBytes: number) => Promise<ChannelUnderTest>;

/** The same cases for every channel: to a container that is attached to, over the bridge's socket, and to the fakes. */
export function channelContract(test: TestFn, kind: Channel['kind'], start: StartProgram): void {
  function check(
    title: string,
    name: ProgramName,
    run: (t: ExecutionContext, at: ChannelUnderTest & { lines: string[] }) => Promise<void>,
    maxLineBytes = MAX_LINE_BYTES,
  ): void {
    test.serial(title, async (t) => {
      const subject = await start(name, maxLineBytes);
      const lines: string[] = [];
      subject.channel.onLine((line) => lines.push(line.toString('utf8')));
      try {
        await run(t, { ...subject, lines });
      } finally {
        await subject.clear();
      }
    });
  }

  check('lines come back whole, in order, whatever their length and characters', 'echo', async (t, at) => {
    const sent = ['{"a":1}', 'ä€😀'.repeat(1000), '', 'x'.repeat(3_000_000), 'last'];
    for (const line of sent) await at.channel.send(line);
    at.channel.end();
    t.deepEqual(like(await at.channel.closed), { why: 'ended' });
    t.true(at.lines.length === sent.length && at.lines.every((line, index) => line === sent[index]));
    t.is(at.channel.kind, kind);
  });

  check('of many lines sent in one turn none is lost or moved', 'echo', async (t, at) => {
    const sent = Array.from({ length: 5000 }, (_, index) => `line ${index}`);
    await Promise.all(sent.map((line) => at.channel.send(line)));
    at.channel.end();
    await at.channel.closed;
    t.deepEqual(at.lines, sent);
  });

  check('stderr comes apart from stdout', 'both', async (t, { channel, lines }) => {
    await until('both came', async () => lines.length > 0 && channel.stderr.last(1).length > 0);
    t.deepEqual(lines, ['out']);
    t.deepEqual(
      channel.stderr.last(5).map(({ line }) => line),
      ['err'],
    );
  });

  check('everything of a process that ends comes before its end is told', 'flood', async (t, at) => {
    t.deepEqual(like(await at.channel.closed), { why: 'ended' });
    t.is(at.lines.length, FLOOD_LINES);
    t.true(at.lines.every((line, index) => line === String(index + 1)));
  });

  check('an unfinished line is no line', 'half-line', async (t, at) => {
    await at.channel.closed;
    t.deepEqual(at.lines, ['whole']);
  });

  check('a failed process ends the channel as any other', 'exit-3', async (t, { channel }) => {
    const end = await channel.closed;
    t.is(end.why, 'ended');
    // The bridge tells how; where the channel cannot know, the engine is asked.
    t.deepEqual('exit' in end ? end.exit : null, kind === 'socket' ? { code: 3, signal: null } : null);
    await t.throwsAsync(channel.send('too late'), { message: /closed/ });
  });

  check('a killed process ends the channel', 'deaf', async (t, { channel, kill }) => {
    await kill();
    t.is((await channel.closed).why, 'ended');
  });

  check('a flood of stderr is bounded, told, and holds up nothing', 'stderr-flood', async (t, at) => {
    await at.channel.closed;
    t.deepEqual(at.lines, ['done']);
    const seen = at.channel.stderr.last(1000).map(({ line }) => line);
    t.true(seen.join('').length < STDERR_FLOOD_BYTES / 8);
    t.regex(seen.join('\n'), /\d+ bytes of stderr were not read/);
  });

  check(
    'a line that is too long ends the channel, and nothing of it is handed out',
    'long-line',
    async (t, at) => {
      const maxLineBytes = LONG_LINE_BYTES - 1;
      t.deepEqual(await at.channel.closed, { why: 'line_too_long', maxLineBytes });
      t.deepEqual(at.lines, []);
    },
    LONG_LINE_BYTES - 1,
  );

  check(
    'a line of just the allowed length is handed out',
    'long-line',
    async (t, at) => {
      await until('it came', async () => at.lines.length > 0);
      t.is(at.lines[0]?.length, LONG_LINE_BYTES);
    },
    LONG_LINE_BYTES,
  );

  check('destroying it ends it once, with the reason given', 'echo', async (t, { channel }) => {
    channel.destroy('no longer wanted');
    channel.destroy('another reason');
    t.deepEqual(await channel.closed, { why: 'destroyed', message: 'no longer wanted' });
    await t.throwsAsync(channel.send('too late'), { message: /closed/ });
  });
}

/** What a fake that takes everything at once cannot show. */
export function channelBackPressure(test: TestFn, start: StartProgram): void {
  test.serial('what a process does not read waits here and is refused at the end', async (t) => {
    const { channel, clear } = await start('deaf', MAX_LINE_BYTES);
    let refused = 0;
    const line = 'x'.repeat(64 * 1024);
    const all = Array.from({ length: 512 }, () => channel.send(line).catch(() => refused++));
    await setImmediate(); // what can leave at once has left
    channel.destroy('over');
    await Promise.all(all);
    t.true(refused > 0, 'thirty megabytes are more than pipes and buffers take');
    await clear();
  });
}

/** Without what only some channels know. */
function like({ why }: { readonly why: string }): { readonly why: string } {
  return { why };
}
