import test from 'ava';
import fc from 'fast-check';
import type { OutEvent, OutStream } from '../../orchestrator/session/index.ts';
import { idOf, refused, rest, setUp, take } from './streams-rig.ts';

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
