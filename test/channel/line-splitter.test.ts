import test from 'ava';
import fc from 'fast-check';
import { LineSplitter } from '../../orchestrator/channel/line-splitter.ts';

function split(
  chunks: readonly Uint8Array[],
  maxLineBytes = 1024,
): { lines: string[]; tooLong: number; splitter: LineSplitter } {
  const lines: string[] = [];
  let tooLong = 0;
  const splitter = new LineSplitter({
    maxLineBytes,
    onLine: (line) => lines.push(line.toString('latin1')),
    onTooLong: () => tooLong++,
  });
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  return { lines, tooLong, splitter };
}

test('any slicing of the same bytes gives the same lines', (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
      const whole = Buffer.concat(chunks).toString('latin1').split('\n');
      whole.pop();
      return JSON.stringify(split(chunks).lines) === JSON.stringify(whole);
    }),
  );
  t.deepEqual(split([Buffer.from('a\nb'), Buffer.from('c\n\n')]).lines, ['a', 'bc', '']);
});

test('a line that comes byte by byte is whole', (t) => {
  const bytes = Buffer.from(`${'x'.repeat(70_000)}\n`);
  const { lines } = split(
    [...bytes].map((byte) => Buffer.of(byte)),
    100_000,
  );
  t.deepEqual(
    lines.map((line) => line.length),
    [70_000],
  );
});

test('a line over the limit is told once and nothing is handed out afterwards', (t) => {
  for (const chunks of [
    [Buffer.from('12345678901\nafter\n')],
    [Buffer.from('123456'), Buffer.from('78901'), Buffer.from('\nafter\n')],
  ]) {
    const { lines, tooLong } = split(chunks, 10);
    t.deepEqual(lines, []);
    t.is(tooLong, 1);
  }
});

test('an unfinished line is held, not handed out', (t) => {
  t.deepEqual(split([Buffer.from('half')]).lines, []);
});
