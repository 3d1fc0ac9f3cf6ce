import test from 'ava';
import { abortSignalOf, type Signal, Withdrawal } from '../../orchestrator/kernel/index.ts';

/** The same holds of Node's own: either will do for whoever waits. */
const KINDS: Record<string, () => { signal: Signal; abort: (reason: unknown) => void }> = {
  Withdrawal: () => {
    const withdrawal = new Withdrawal();
    return { signal: withdrawal, abort: (reason) => withdrawal.abort(reason) };
  },
  AbortController: () => {
    const controller = new AbortController();
    return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
  },
};

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind}: whoever listens is told once, with the first reason, and not when it has stopped listening`, (t) => {
    const { signal, abort } = make();
    const told: string[] = [];
    const tell = (who: string) => () => void told.push(`${who}: ${signal.reason}`);
    const stopped = tell('stopped');
    signal.addEventListener('abort', tell('first'), { once: true });
    signal.addEventListener('abort', stopped, { once: true });
    signal.addEventListener('abort', tell('second'), { once: true });
    signal.removeEventListener('abort', stopped);
    signal.removeEventListener('abort', stopped);
    t.false(signal.aborted);
    abort('why');
    abort('again');
    signal.addEventListener('abort', tell('late'), { once: true });
    t.true(signal.aborted);
    t.is(signal.reason, 'why');
    t.deepEqual(told, ['first: why', 'second: why']);
  });

  test(`${kind}: as a signal of Node's own it aborts with the same reason, before and after`, (t) => {
    const { signal, abort } = make();
    const before = AbortSignal.any([abortSignalOf(signal)]);
    t.false(before.aborted);
    abort('why');
    t.is(before.reason, 'why');
    t.is(abortSignalOf(signal).reason, 'why');
  });
}
