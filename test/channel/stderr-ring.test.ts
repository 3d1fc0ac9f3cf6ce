import test from 'ava';
import { BoundedStderr } from '../../orchestrator/channel/stderr-ring.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const linesOf = (ring: BoundedStderr): string[] => ring.last(1000).map(({ line }) => line);

test('keeps the last lines, cut from any slicing, with control characters made visible', (t) => {
  const ring = new BoundedStderr(new FakeClock());
  ring.push(Buffer.from('first\nsec'));
  ring.push(Buffer.from('ond\r\n\u001b[31mred\u001b]8;;x\u0007\nunfinished'));
  t.deepEqual(linesOf(ring), ['first', 'second', '\\u001b[31mred\\u001b]8;;x\\u0007']);
  ring.end();
  t.is(linesOf(ring).at(-1), 'unfinished');
});

test('is bounded in lines and in the length of a line', (t) => {
  const ring = new BoundedStderr(new FakeClock());
  for (let i = 0; i < 500; i++) ring.push(Buffer.from(`line ${i}\n`));
  t.is(linesOf(ring).length, 200);
  t.is(linesOf(ring).at(-1), 'line 499');
  ring.push(Buffer.from(`${'x'.repeat(100_000)}\n`));
  t.true((linesOf(ring).at(-1) ?? '').length <= 2048);
});

test('a flood is not read beyond its share of a second, and the gap is told', (t) => {
  const clock = new FakeClock();
  const ring = new BoundedStderr(clock);
  let read = 0;
  ring.follow(() => read++);
  const chunk = Buffer.from('flood\n'.repeat(1000));
  for (let i = 0; i < 1000; i++) ring.push(chunk);
  t.true(read < 10_000, 'of a million lines few were read');
  clock.advance(1000);
  ring.push(Buffer.from('calm again\n'));
  t.deepEqual(linesOf(ring).slice(-2), [
    `[gantry: ${979 * 6000} bytes of stderr were not read, they came too fast]`,
    'calm again',
  ]);
});

test('whoever follows hears new lines until he stops', (t) => {
  const ring = new BoundedStderr(new FakeClock());
  const heard: string[] = [];
  const stop = ring.follow(({ line }) => heard.push(line));
  ring.push(Buffer.from('a\n'));
  stop();
  ring.push(Buffer.from('b\n'));
  t.deepEqual(heard, ['a']);
});

test('what was lost on the way is told before what came through', (t) => {
  const ring = new BoundedStderr(new FakeClock());
  ring.lost(1000);
  ring.lost(24);
  ring.push(Buffer.from('after\n'));
  t.deepEqual(linesOf(ring), ['[gantry: 1024 bytes of stderr were not read, they came too fast]', 'after']);
});
