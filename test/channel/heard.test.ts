import test from 'ava';
import { Heard } from '../../orchestrator/channel/heard.ts';

test('the oldest request without an answer is what is owed', (t) => {
  const heard = new Heard(0);
  t.deepEqual(heard.silence, { heardAtMs: 0, owedSinceMs: null });
  heard.asked(1, 100);
  heard.asked(2, 200);
  t.is(heard.silence.owedSinceMs, 100);
  heard.answered(1);
  t.is(heard.silence.owedSinceMs, 200);
  heard.answered(2);
  t.is(heard.silence.owedSinceMs, null);
});

test('what was withdrawn stays owed until it is answered after all', (t) => {
  const heard = new Heard(0);
  heard.asked(1, 100);
  heard.withdrawn(1);
  t.is(heard.silence.owedSinceMs, 100);
  heard.answered(1);
  t.is(heard.silence.owedSinceMs, null);
});

test('an answer to something later, a probe too, shows that the process got past what was withdrawn', (t) => {
  const heard = new Heard(0);
  heard.asked(1, 100);
  heard.asked(2, 200);
  heard.withdrawn(1);
  heard.answered(3);
  t.is(heard.silence.owedSinceMs, 200, 'a call that is waited for stays owed');
  heard.answered(2);
  t.is(heard.silence.owedSinceMs, null);
});

test('withdrawing what was answered owes nothing, and withdrawn ones do not pile up', (t) => {
  const heard = new Heard(0);
  heard.asked(1, 100);
  heard.answered(1);
  heard.withdrawn(1);
  t.is(heard.silence.owedSinceMs, null);
  for (let id = 2; id < 5000; id++) {
    heard.asked(id, id);
    heard.withdrawn(id);
  }
  t.is(heard.silence.owedSinceMs, 4999 - 1024 + 1);
});
