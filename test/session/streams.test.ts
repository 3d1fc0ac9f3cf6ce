import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { EventBudget } from '../../orchestrator/session/event-budget.ts';
import {
  type EventLog,
  MemoryEventLog,
  type OutEvent,
  type OutStream,
} from '../../orchestrator/session/index.ts';
import { Streams } from '../../orchestrator/session/streams.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

type Options = {
  readonly version?: string;
  readonly pollAfterMs?: number;
  readonly log?: EventLog;
};

function setUp({ version = '2025-06-18', pollAfterMs, log }: Options = {}) {
  const clock = new FakeClock();
  const dropped: string[] = [];
  const budget = new EventBudget(log ?? new MemoryEventLog({ clock }));
  const options = { clock, pollAfterMs: pollAfterMs ?? null, log: budget };
  const make = (): Streams => {
    const streams = new Streams({ ...options, onDropped: (why) => dropped.push(why) });
    streams.agreed(version);
    return streams;
  };
  return { clock, dropped, streams: make(), make };
}

/** Reads exactly so many events, then leaves, as a client whose connection breaks. */
async function take(stream: OutStream<OutEvent> | null, count: number): Promise<OutEvent[]> {
  const events: OutEvent[] = [];
  if (stream === null || count === 0) return events;
  for await (const event of stream) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

async function rest(stream: OutStream<OutEvent> | null): Promise<string[]> {
  return (await take(stream, Number.POSITIVE_INFINITY)).map(({ data }) => data).filter((data) => data !== '');
}

function idOf(event: OutEvent | undefined): string {
  return event?.id ?? '';
}

async function refused(t: ExecutionContext, promise: Promise<unknown>): Promise<string> {
  const error = (await t.throwsAsync(promise, { instanceOf: GantryError })) as GantryError;
  t.is(error.code, 'invalid_request');
  return error.message;
}

test('every event has an id of its own that names its stream', async (t) => {
  const { streams } = setUp();
  const { stream, reader } = streams.begin();
  for (const word of ['a', 'b']) {
    stream.push(word);
    streams.announce(word, () => {});
  }
  const ids = [...(await take(reader, 2)), ...(await take(streams.listen(), 2))].map(idOf);
  t.is(new Set(ids).size, 4);
  const names = ids.map((id) => id.split('.')[0]);
  t.is(names[0], names[1]);
  t.is(names[2], names[3]);
  t.not(names[0], names[2]);
});

test('a client that comes back gets exactly what it missed of that stream, and what follows', async (t) => {
  const { streams } = setUp();
  const { stream, reader } = streams.begin();
  const { stream: other } = streams.begin();
  for (const word of ['a', 'b', 'c']) {
    stream.push(word);
    other.push(`other ${word}`);
    streams.announce(`news ${word}`, () => {});
  }
  const [first] = await take(reader, 1);
  stream.push('d');
  const again = await streams.resume(idOf(first));
  stream.push('e');
  stream.finish();
  t.deepEqual(await rest(again), ['b', 'c', 'd', 'e']);
});

test('the stream without a call is resumed like any other', async (t) => {
  const { streams } = setUp();
  const reader = streams.listen();
  streams.announce('a', () => {});
  const [first] = await take(reader, 1);
  streams.announce('b', () => {});
  const again = await streams.resume(idOf(first));
  streams.announce('c', () => {});
  streams.end();
  t.deepEqual(await rest(again), ['b', 'c']);
});

test('the answer of a call whose stream broke waits; after it there is nothing more to come back for', async (t) => {
  const { streams } = setUp();
  const { stream, reader } = streams.begin();
  stream.push('progress');
  const [first] = await take(reader, 1);
  stream.push('answer');
  stream.finish();
  const events = await take(await streams.resume(idOf(first)), 1);
  t.deepEqual(
    events.map(({ data }) => data),
    ['answer'],
  );
  t.is(await streams.resume(idOf(events[0])), null);
});

test('what was handed to a connection that had silently broken is replayed too', async (t) => {
  const { streams } = setUp();
  const { stream, reader: silent } = streams.begin();
  stream.push('a');
  stream.push('b');
  const [name] = stream.id.split('.');
  const again = await streams.resume(`${name}.0`);
  stream.finish();
  t.deepEqual(await rest(again), ['a', 'b']);
  t.deepEqual(await rest(silent), [], 'the old reader gets nothing twice');
});

test('of two that come back at once, one gets everything', async (t) => {
  const { streams } = setUp();
  const { stream } = streams.begin();
  stream.push('a');
  const [first, second] = await Promise.all([
    streams.resume(`${stream.id}.0`),
    streams.resume(`${stream.id}.0`),
  ]);
  stream.push('b');
  stream.finish();
  t.deepEqual([await rest(first), await rest(second)], [[], ['a', 'b']]);
});

test('an id that is foreign, malformed, unknown or ahead of its stream is refused', async (t) => {
  const { streams, make } = setUp();
  const { stream: foreign } = make().begin();
  foreign.push('theirs');
  const { stream } = streams.begin();
  stream.push('ours');
  for (const id of [`${foreign.id}.1`, `${stream.id}.2`, 'nobody.1']) {
    t.regex(await refused(t, streams.resume(id)), /no event of this session/);
  }
  for (const id of [
    '',
    '1',
    stream.id,
    `${stream.id}.`,
    `${stream.id}.-1`,
    `${stream.id}.01`,
    'a.b.c',
    '../x.1',
  ]) {
    t.regex(await refused(t, streams.resume(id)), /not an event id/);
  }
});

test('any text as an event id is either refused or one that was given out', async (t) => {
  const { streams } = setUp();
  const { stream } = streams.begin();
  stream.push('a');
  await fc.assert(
    fc.asyncProperty(fc.string(), async (id) => {
      await streams.resume(id).then(
        () => t.fail(`resumed by ${id}`),
        (error) => t.is(error.code, 'invalid_request'),
      );
    }),
  );
});

test('an event without data comes first, for clients of 2025-11-25 alone', async (t) => {
  const { streams } = setUp({ version: '2025-11-25' });
  const { stream, reader } = streams.begin();
  const [priming] = await take(reader, 1);
  t.deepEqual(priming, { id: `${stream.id}.0`, data: '', retryMs: 1000 });
  stream.push('a');
  stream.finish();
  t.deepEqual(await rest(await streams.resume(idOf(priming))), ['a']);

  for (const version of ['2024-11-05', '2025-03-26', '2025-06-18', '']) {
    const { streams: older } = setUp({ version });
    const call = older.begin();
    call.stream.push('a');
    t.is((await take(call.reader, 1))[0]?.data, 'a');
  }
});

test('a long call lets its client go, and the client comes back for the rest', async (t) => {
  const { streams, clock } = setUp({ version: '2025-11-25', pollAfterMs: 1000 });
  const { stream, reader } = streams.begin();
  const listening = streams.listen();
  stream.push('a');
  clock.advance(1000);
  t.true(reader.ended);
  t.false(listening.ended, 'the stream without a call stays');
  const events = await take(reader, 3);
  stream.push('b');
  const again = await streams.resume(idOf(events.at(-1)));
  stream.finish();
  t.deepEqual(await rest(again), ['b']);
});

test('clients of older revisions are never let go', (t) => {
  const { streams, clock } = setUp({ version: '2025-06-18', pollAfterMs: 1000 });
  const { reader } = streams.begin();
  clock.advance(5000);
  t.false(reader.ended);
});

test('without a log delivery goes on, and what nobody read is still there', async (t) => {
  const away: EventLog = { append: () => {}, since: () => Promise.reject(new Error('away')), drop: () => {} };
  const { streams, dropped } = setUp({ log: away });
  const { stream, reader } = streams.begin();
  stream.push('a');
  const [first] = await take(reader, 1);
  stream.push('b');
  const again = await streams.resume(idOf(first));
  stream.push('c');
  stream.finish();
  t.deepEqual(await rest(again), ['b', 'c']);
  t.deepEqual(dropped, []);
  t.deepEqual(await rest(await streams.resume(`${stream.id}.0`)), []);
  t.deepEqual(dropped, ['not_replayed', 'not_replayed', 'not_replayed']);
});

test('only the last finished calls are remembered, open ones always', async (t) => {
  const { streams } = setUp();
  const { stream: open } = streams.begin();
  open.push('open');
  const finished = Array.from({ length: 40 }, () => {
    const { stream } = streams.begin();
    stream.push('answer');
    stream.finish();
    return stream;
  });
  await refused(t, streams.resume(`${finished[0]?.id}.0`));
  t.deepEqual(await rest(await streams.resume(`${finished[39]?.id}.0`)), ['answer']);
  t.not(await streams.resume(`${open.id}.0`), null);
});

test('a burst of any length before its reader begins is kept whole', async (t) => {
  const { streams } = setUp();
  const { stream, reader } = streams.begin();
  for (let i = 0; i < 5000; i++) stream.push(`${i}`, () => t.fail('lost'));
  stream.finish();
  t.is((await rest(reader)).length, 5000);
});

test('what waits for a first listener is bounded; what does not fit is said to be lost', async (t) => {
  const { streams } = setUp();
  const lost: number[] = [];
  for (let i = 0; i < 105; i++) streams.announce(`${i}`, () => lost.push(i));
  t.deepEqual(lost, [100, 101, 102, 103, 104]);
  t.is((await take(streams.listen(), 100)).at(-1)?.data, '99');
});

test('more than memory holds for an absent reader is in the log', async (t) => {
  const { streams } = setUp();
  const { stream, reader } = streams.begin();
  stream.push('first');
  const [first] = await take(reader, 1);
  const said = Array.from({ length: 500 }, (_, index) => `${index}`);
  for (const text of said) stream.push(text, () => t.fail('lost'));
  stream.finish();
  t.deepEqual(await rest(await streams.resume(idOf(first))), said);
});

test('wherever connections break, every message arrives once and in order', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ say: fc.nat(5), see: fc.nat(6) }), { minLength: 1, maxLength: 12 }),
      fc.constantFrom('2025-06-18', '2025-11-25'),
      async (rounds, version) => {
        const { streams } = setUp({ version });
        const { stream, reader: first } = streams.begin();
        const seen: string[] = [];
        let said = 0;
        let lastId = `${stream.id}.0`;
        let reader: OutStream<OutEvent> | null = first;
        for (const { say, see } of rounds) {
          for (let i = 0; i < say; i++) stream.push(`${said++}`);
          const waiting = version === '2025-11-25' ? 1 : 0;
          for (const event of await take(reader, Math.min(see, waiting + said - seen.length))) {
            if (event.data !== '') seen.push(event.data);
            lastId = idOf(event);
          }
          reader = await streams.resume(lastId);
        }
        stream.finish();
        seen.push(...(await rest(reader)));
        t.deepEqual(
          seen,
          Array.from({ length: said }, (_, index) => `${index}`),
        );
      },
    ),
    { numRuns: 200 },
  );
});
