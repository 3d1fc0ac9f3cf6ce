import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { closedLoop } from '../../bench/load/closed-loop.ts';
import { openLoop } from '../../bench/load/open-loop.ts';

const CALL_MS = 5;

test('an open loop charges a stall to every call that was due meanwhile, a closed loop to one', async (t) => {
  // Time itself is the subject: one stall of 300 ms among calls of nothing.
  const stalls = () => {
    let calls = 0;
    return async (): Promise<void> => {
      if (++calls === 20) await sleep(300);
    };
  };
  const pace = { warmMs: 0, measureMs: 800 };
  const open = await openLoop([stalls()], { ...pace, perSecond: 100 });
  t.true(open.p99 > 200, `p99 ${open.p99}`);
  t.true(open.p90 > 50, `p90 ${open.p90}`);
  // Every call that was due is counted, at the edges give or take one.
  t.true(Math.abs(open.count - 80) <= 1, `count ${open.count}`);
  const paced = stalls();
  const closed = await closedLoop([() => sleep(CALL_MS).then(paced)], pace);
  t.true(closed.p90 < open.p90 / 2, `p90 ${closed.p90} and ${open.p90}`);
});

test('a call that fails is an error and no latency', async (t) => {
  let calls = 0;
  const fails = async (): Promise<void> => {
    await sleep(1); // a moment, or the many failures would end the measurement at once
    if (++calls % 2 === 0) throw new Error(`call ${calls}`);
  };
  for (const result of [
    await closedLoop([fails], { warmMs: 0, measureMs: 100 }),
    await openLoop([fails], { warmMs: 0, measureMs: 100, perSecond: 100 }),
  ]) {
    t.true(result.errors > 0);
    t.true(Math.abs(result.count - result.errors) <= 2, `${result.count} and ${result.errors}`);
    t.regex(result.firstError ?? '', /call \d+/);
  }
});
