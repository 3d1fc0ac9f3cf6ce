import type { LogLine } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';

/** A reader that is slower than the server writes loses the oldest lines, never the memory of the process. */
const MAX_WAITING = 1000;

/** The stderr lines of one replica, as they come, until its output ends or `signal` aborts. */
export async function* followLog(replica: Replica, signal: AbortSignal): AsyncGenerator<LogLine, void, void> {
  const waiting: LogLine[] = [];
  let over = signal.aborted;
  let wake = Promise.withResolvers<void>();
  const end = (): void => {
    over = true;
    wake.resolve();
  };
  const unfollow = replica.channel.stderr.follow((line) => {
    if (waiting.length >= MAX_WAITING) waiting.shift();
    waiting.push(line);
    wake.resolve();
  });
  signal.addEventListener('abort', end, { once: true });
  void replica.closed.then(end);
  try {
    for (;;) {
      for (let line = waiting.shift(); line !== undefined; line = waiting.shift()) {
        if (signal.aborted) return;
        yield line;
      }
      if (over) return;
      await wake.promise;
      wake = Promise.withResolvers<void>();
    }
  } finally {
    unfollow();
    signal.removeEventListener('abort', end);
  }
}
