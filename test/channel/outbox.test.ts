import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { Outbox } from '../../orchestrator/channel/outbox.ts';

function setUp(write?: (text: string) => Promise<void>) {
  const written: string[] = [];
  const outbox = new Outbox(async (text) => {
    written.push(text);
    await write?.(text);
  });
  return { outbox, written };
}

test('a line that is alone is written at once, those of one turn behind it together and in order', async (t) => {
  const { outbox, written } = setUp();
  const sent = [outbox.send('1'), outbox.send('2'), outbox.send('3')];
  t.deepEqual(written, ['1\n']);
  await Promise.all(sent);
  t.deepEqual(written, ['1\n', '2\n3\n']);
  await nextTurn();
  const next = outbox.send('4');
  t.deepEqual(written, ['1\n', '2\n3\n', '4\n']);
  await next;
});

test('a write that fails is told to each line in it, and to no other', async (t) => {
  const { outbox } = setUp(async (text) => {
    if (text.includes('lost')) throw new Error('stdin is closed');
  });
  const first = outbox.send('fine');
  const lost = [outbox.send('lost'), outbox.send('lost too')];
  await first;
  for (const line of lost) await t.throwsAsync(line, { message: 'stdin is closed' });
  await nextTurn();
  await t.notThrowsAsync(outbox.send('fine again'));
});

test('what waits for the end of the turn is written before the end of input', (t) => {
  const { outbox, written } = setUp();
  void outbox.send('1');
  void outbox.send('2');
  outbox.flush();
  t.deepEqual(written, ['1\n', '2\n']);
  outbox.flush();
  t.is(written.length, 2);
});
