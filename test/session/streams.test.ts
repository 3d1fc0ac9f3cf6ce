import test from 'ava';
import type { EventLog } from '../../orchestrator/session/index.ts';
import { idOf, refused, rest, setUp, take } from './streams-rig.ts';

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
