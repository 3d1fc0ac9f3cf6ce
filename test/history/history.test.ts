import test from 'ava';
import fc from 'fast-check';
import {
  type Call,
  faultsOf,
  History,
  markerOf,
  NO_FAULTS,
  type Place,
  readMarker,
  type Said,
  summaryOf,
} from './history.ts';

const EXPECTED = { progress: 2, log: 1 };

/** One message and where it arrived. */
type Arrival = { readonly at: Place; readonly said: Said };

/** What three clients with two calls each are to get, every client using the same names for its calls. */
const calls: readonly Call[] = ['ann', 'bob', 'cy'].flatMap((client) =>
  ['1', '2'].map((call) => ({ client, call })),
);

function arrivalsOf(call: Call): readonly Arrival[] {
  const message = (kind: Said['kind'], number: number): Arrival => ({
    at: call,
    said: { ...call, kind, number },
  });
  return [message('progress', 1), message('log', 1), message('progress', 2), message('answer', 1)];
}

function judged(arrivals: readonly Arrival[], sent: readonly Call[] = calls) {
  const history = new History();
  for (const call of sent) history.sent(call, EXPECTED);
  for (const { at, said } of arrivals) history.got(at, said);
  return history.verdict();
}

/** Any order of all messages in which those of one call keep theirs. */
const interleaved = fc
  .shuffledSubarray(
    calls.flatMap((call) => arrivalsOf(call).map(() => call)),
    { minLength: calls.length * 4 },
  )
  .map((turns) => {
    const left = new Map(calls.map((call) => [call, [...arrivalsOf(call)]]));
    return turns.flatMap((call) => left.get(call)?.shift() ?? []);
  });
const anyIndex = fc.nat({ max: calls.length * 4 - 1 });

test('however the messages of clients mix, nothing is wrong when each arrives once at its own call', (t) => {
  fc.assert(
    fc.property(interleaved, (arrivals) => {
      const verdict = judged(arrivals);
      t.deepEqual(faultsOf(verdict), NO_FAULTS);
      t.like(verdict, { clients: 3, calls: 6, answers: 6, notifications: 18, failed: [] });
    }),
  );
});

test('a message at another client is crossed, and lost for its own', (t) => {
  fc.assert(
    fc.property(interleaved, anyIndex, fc.constantFrom(...calls), (arrivals, index, elsewhere) => {
      const { said } = at(arrivals, index);
      fc.pre(elsewhere.client !== said.client);
      const verdict = judged(arrivals.with(index, { at: elsewhere, said }));
      t.deepEqual(verdict.crossed, [
        `${said.kind} ${said.number} of ${markerOf(said)} at ${markerOf(elsewhere)}`,
      ]);
      t.deepEqual(verdict.lost, [`${said.kind} ${said.number} of ${markerOf(said)}`]);
      t.deepEqual([...verdict.duplicated, ...verdict.unknown], []);
    }),
  );
});

test('two answers that change places are both crossed', (t) => {
  const [first, second] = [call('ann', '1'), call('bob', '1')];
  const swapped = [...arrivalsOf(first), ...arrivalsOf(second)].map(({ at: place, said }) => {
    if (said.kind !== 'answer') return { at: place, said };
    return { at: place === first ? second : first, said };
  });
  t.deepEqual(judged(swapped, [first, second]).crossed, [
    'answer 1 of ann/1 at bob/1',
    'answer 1 of bob/1 at ann/1',
  ]);
});

test('a message at another call of the same client, or outside of its call, is crossed; a log message is not', (t) => {
  const [one, two] = [call('ann', '1'), call('ann', '2')];
  const outside = { client: 'ann', call: null };
  const verdict = judged(
    [
      { at: two, said: { ...one, kind: 'progress', number: 1 } },
      { at: outside, said: { ...one, kind: 'progress', number: 2 } },
      { at: two, said: { ...one, kind: 'log', number: 1 } },
      { at: one, said: { ...one, kind: 'answer', number: 1 } },
      ...arrivalsOf(two),
    ],
    [one, two],
  );
  t.deepEqual(verdict.crossed, [
    'progress 1 of ann/1 at ann/2',
    'progress 2 of ann/1 at ann (outside of calls)',
  ]);
  t.deepEqual(verdict.lost, ['progress 1 of ann/1', 'progress 2 of ann/1']);
});

test('a message that does not arrive is lost', (t) => {
  fc.assert(
    fc.property(interleaved, anyIndex, (arrivals, index) => {
      const { said } = at(arrivals, index);
      const verdict = judged(arrivals.toSpliced(index, 1));
      t.deepEqual(faultsOf(verdict), {
        ...NO_FAULTS,
        lost: [`${said.kind} ${said.number} of ${markerOf(said)}`],
      });
    }),
  );
});

test('a message that arrives twice is duplicated, wherever the second one comes', (t) => {
  fc.assert(
    fc.property(interleaved, anyIndex, fc.nat(), (arrivals, index, later) => {
      const twice = at(arrivals, index);
      const where = index + 1 + (later % (arrivals.length - index));
      const verdict = judged(arrivals.toSpliced(where, 0, twice));
      t.is(verdict.duplicated.length, 1);
      t.true(
        verdict.duplicated[0]?.startsWith(
          `${twice.said.kind} ${twice.said.number} of ${markerOf(twice.said)} `,
        ),
      );
      t.deepEqual([...verdict.crossed, ...verdict.lost, ...verdict.unknown, ...verdict.disordered], []);
    }),
  );
});

test('progress out of order or behind its answer is disordered', (t) => {
  const one = call('ann', '1');
  const [first, log, second, answer] = arrivalsOf(one) as [Arrival, Arrival, Arrival, Arrival];
  t.deepEqual(judged([second, first, log, answer], [one]).disordered, ['progress 1 of ann/1 at ann/1']);
  t.deepEqual(judged([first, log, answer, second], [one]).disordered, ['progress 2 of ann/1 at ann/1']);
});

test('what nobody sent is unknown: another call, more than was asked for, or a text without a marker', (t) => {
  const one = call('ann', '1');
  const history = new History();
  history.sent(one, EXPECTED);
  history.got(one, { client: 'eve', call: '1', kind: 'answer', number: 1 });
  history.got(one, { ...one, kind: 'progress', number: 3 });
  history.gotUnknown(one, 'hello');
  t.deepEqual(history.verdict().unknown, [
    'answer 1 of eve/1 at ann/1',
    'progress 3 of ann/1 at ann/1',
    'hello at ann/1',
  ]);
});

test('a call that failed has lost nothing, and has one end only', (t) => {
  const one = call('ann', '1');
  const history = new History();
  history.sent(one, EXPECTED);
  history.got(one, { ...one, kind: 'progress', number: 1 });
  history.failed(one, 'replica_failed');
  t.deepEqual(faultsOf(history.verdict()), NO_FAULTS);
  t.deepEqual(history.verdict().failed, ['ann/1: replica_failed']);
  history.failed(one, 'call_timeout');
  t.deepEqual(history.verdict().duplicated, ['an end (call_timeout) of ann/1']);
});

test('the summary shows every count', (t) => {
  const one = call('ann', '1');
  const [first, , second] = arrivalsOf(one) as [Arrival, Arrival, Arrival, Arrival];
  t.is(
    summaryOf(judged([first, second], [one])),
    '1 calls of 1 clients: 0 answers, 2 notifications, 0 failed; 0 crossed, 2 lost, 0 duplicated, 0 unknown, 0 disordered',
  );
});

test('a marker names its call, and no other text does', (t) => {
  t.deepEqual(readMarker(markerOf(call('ann', '1'))), call('ann', '1'));
  for (const text of ['', 'ann', 'ann/', '/1', 'ann/1/2', 'ann/1#1', 7, null]) t.is(readMarker(text), null);
});

test('the same call cannot be sent twice', (t) => {
  const history = new History();
  history.sent(call('ann', '1'), EXPECTED);
  t.throws(() => history.sent(call('ann', '1'), EXPECTED), { message: 'ann/1 was sent before' });
});

function call(client: string, name: string): Call {
  return { client, call: name };
}

function at(arrivals: readonly Arrival[], index: number): Arrival {
  const found = arrivals[index];
  if (found === undefined) throw new Error(`no arrival ${index}`);
  return found;
}
