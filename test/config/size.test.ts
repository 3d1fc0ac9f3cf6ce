import test from 'ava';
import fc from 'fast-check';
import { parseSize, sizeText } from '../../orchestrator/config/size.ts';

const size = test.macro({
  exec: (t, text: string | number, bytes: number | null) => t.is(parseSize(text), bytes),
  title: (_, text, bytes) =>
    `${typeof text === 'number' ? text : JSON.stringify(text)} is ${bytes === null ? 'no size' : `${bytes} bytes`}`,
});

for (const text of [
  '256MiB',
  '256Mi',
  '256m',
  '262144k',
  '262144KiB',
  '0.25GiB',
  '268435456',
  '268435456b',
  268435456,
]) {
  test(size, text, 268435456);
}
test(size, '1g', 1024 ** 3);
test(size, '1.5KiB', 1536);
test(size, 0, 0);
for (const text of [
  '',
  ' ',
  '1 MiB',
  '1MB',
  '1M',
  '1mb',
  '1T',
  '-1',
  '-1m',
  '0x10',
  '1e3',
  '.5m',
  '1.m',
  '1.0001k',
  'm',
  '99999999999999999999',
  1.5,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
]) {
  test(size, text, null);
}

test('a size that was written is read back', (t) => {
  fc.assert(fc.property(fc.nat(), (bytes) => parseSize(sizeText(bytes).replace(' bytes', '')) === bytes));
  t.is(sizeText(1024 ** 2), '1MiB');
});
