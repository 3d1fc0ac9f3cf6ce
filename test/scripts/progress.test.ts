import test from 'ava';
import { createProgress, formatElapsed } from '../../scripts/setup/progress.mjs';

test('elapsed times are short and say their unit', (t) => {
  t.is(formatElapsed(412), '0.4 s');
  t.is(formatElapsed(12_400), '12 s');
  t.is(formatElapsed(185_000), '3 min 5 s');
  t.is(formatElapsed(119_900), '2 min 0 s');
});

function recorder() {
  const texts: string[] = [];
  let clockMs = 0;
  return {
    texts,
    now: () => clockMs,
    advance: (ms: number) => {
      clockMs += ms;
    },
    out: { write: (text: string) => texts.push(text) },
  };
}

test('without a terminal a step is two plain lines, the last with its result and time', async (t) => {
  const { texts, now, advance, out } = recorder();
  const result = await createProgress(out, now).step('Images', async () => {
    advance(2_300);
    return 'built';
  });
  t.is(result, 'built');
  t.deepEqual(texts, ['> Images\n', '✔ Images: built (2.3 s)\n']);
});

test('a step that fails says so and passes the error on', async (t) => {
  const { texts, now, out } = recorder();
  const failing = createProgress(out, now).step('Images', async () => {
    throw new Error('no disk');
  });
  await t.throwsAsync(failing, { message: 'no disk' });
  t.is(texts.at(-1), '✘ Images: failed (0.0 s)\n');
});

test('a result that is not a text is not shown', async (t) => {
  const { texts, now, out } = recorder();
  await createProgress(out, now).step('Stack', async () => [3005]);
  t.is(texts.at(-1), '✔ Stack (0.0 s)\n');
});
