import type { TestFn } from 'ava';
import { EVENTS_KEPT_MS, type EventLog } from '../../orchestrator/session/index.ts';

export type LogUnderTest = {
  readonly name: string;
  open(): Promise<{
    readonly log: EventLog;
    /** Lets so much time pass, for the log. */
    readonly pass: (ms: number) => Promise<void>;
    readonly close: () => Promise<void>;
  }>;
};

/** What was seen, and what should have been. */
type Seen = readonly [seen: unknown, expected: unknown];
type Case = (log: EventLog, pass: (ms: number) => Promise<void>) => Promise<Seen[]>;

const cases = new Map<string, Case>();

function say(log: EventLog, stream: string, ...seqs: readonly number[]): void {
  for (const seq of seqs) log.append(stream, { seq, message: `${stream} says ${seq}` });
}

async function numbers(log: EventLog, stream: string, after: number): Promise<readonly number[]> {
  return (await log.since(stream, after)).map(({ seq }) => seq);
}

cases.set('a stream that was never written to has nothing', async (log) => [[await log.since('a', 0), []]]);

cases.set('what was said after a number comes back in order, with its exact text', async (log) => {
  const message = '{"n":9007199254740993,"text":"äöü \\u0000 🏗 \\r\\n"}';
  say(log, 'a', 1, 2);
  log.append('a', { seq: 3, message });
  say(log, 'a', 4);
  return [
    [
      await log.since('a', 2),
      [
        { seq: 3, message },
        { seq: 4, message: 'a says 4' },
      ],
    ],
    [await numbers(log, 'a', 0), [1, 2, 3, 4]],
    [await numbers(log, 'a', 4), []],
    [await numbers(log, 'a', 99), []],
  ];
});

cases.set('asking changes nothing: the same answer comes again', async (log) => {
  say(log, 'a', 1, 2);
  return [
    [await numbers(log, 'a', 0), [1, 2]],
    [await numbers(log, 'a', 0), [1, 2]],
  ];
});

cases.set('one stream is never mixed with another', async (log) => {
  for (const seq of [1, 2, 3]) {
    say(log, 'a', seq);
    say(log, 'a1', seq);
  }
  return [[(await log.since('a', 0)).map(({ message }) => message), ['a says 1', 'a says 2', 'a says 3']]];
});

cases.set('a dropped stream has nothing, and can begin again', async (log) => {
  say(log, 'a', 1, 2);
  say(log, 'b', 1);
  log.drop('a');
  const after = await numbers(log, 'a', 0);
  say(log, 'a', 7);
  return [
    [after, []],
    [await numbers(log, 'a', 0), [7]],
    [await numbers(log, 'b', 0), [1]],
  ];
});

cases.set('what is below a number can be dropped alone', async (log) => {
  say(log, 'a', 1, 2, 3, 4);
  log.drop('a', 3);
  return [[await numbers(log, 'a', 0), [3, 4]]];
});

cases.set('a thousand messages of two streams in one go keep their order', async (log) => {
  const seqs = Array.from({ length: 500 }, (_, index) => index + 1);
  for (const seq of seqs) {
    say(log, 'a', seq);
    say(log, 'b', seq);
  }
  return [
    [await numbers(log, 'a', 0), seqs],
    [await numbers(log, 'b', 490), seqs.slice(490)],
  ];
});

cases.set(
  'a stream is forgotten some time after its last message, not after its first',
  async (log, pass) => {
    say(log, 'a', 1);
    await log.since('a', 0);
    await pass(EVENTS_KEPT_MS * 0.6);
    say(log, 'a', 2);
    await log.since('a', 0);
    await pass(EVENTS_KEPT_MS * 0.6);
    const kept = await numbers(log, 'a', 0);
    await pass(EVENTS_KEPT_MS);
    return [
      [kept, [1, 2]],
      [await numbers(log, 'a', 0), []],
    ];
  },
);

cases.set('the number of the last message is known, after older ones were dropped too', async (log) => {
  say(log, 'a', 1, 2, 3);
  say(log, 'b', 7);
  log.drop('a', 3);
  return [
    [await log.lastOf(['a', 'never', 'b']), [3, 0, 7]],
    [await log.lastOf([]), []],
  ];
});

cases.set('what is under way is known until it is over, apart from what was said', async (log) => {
  const call = { id: 0, method: 'tools/call', nested: { text: 'äöü' }, nothing: null };
  log.note('a/0', call);
  log.note('a/1', 'another');
  say(log, 'a', 1);
  const before = Object.fromEntries(await log.notes());
  log.note('a/1', null);
  log.note('a/0', { ...call, id: 1 });
  log.note('never there', null);
  return [
    [before, { 'a/0': call, 'a/1': 'another' }],
    [await log.notes(), new Map([['a/0', { ...call, id: 1 }]])],
    [await numbers(log, 'a', 0), [1]],
  ];
});

cases.set('once nothing is unwritten, all that was said is remembered', async (log) => {
  say(log, 'a', 1, 2);
  log.note('a/0', 1);
  await log.unwritten;
  return [
    [log.unwritten, null],
    [await numbers(log, 'a', 0), [1, 2]],
  ];
});

/** Runs every case against a log of its own, and prints how many there were. */
export function eventLogContract(test: TestFn, subject: LogUnderTest): void {
  for (const [title, run] of cases) {
    test(`${subject.name} log: ${title}`, async (t) => {
      const { log, pass, close } = await subject.open();
      t.teardown(close);
      for (const [seen, expected] of await run(log, pass)) t.deepEqual(seen, expected);
    });
  }
  test.after(`${subject.name} log: count of contract cases`, (t) => {
    t.log(`${cases.size} contract cases ran against the ${subject.name} log`);
  });
}
