import type { HttpClient } from './http-client.ts';
import { type RemoteSession, sessionHeaders } from './message.ts';
import { discard, eventsOf } from './read-answer.ts';
import { TooLong } from './remote-failure.ts';

/** Between two tries to open a stream that ended; doubles up to the ceiling. */
const FIRST_WAIT_MS = 1000;
const LAST_WAIT_MS = 30_000;

export type ListeningOptions = {
  readonly client: HttpClient;
  readonly maxLineBytes: number;
  readonly session: RemoteSession;
  readonly signal: AbortSignal;
  readonly wait: (delayMs: number, signal: AbortSignal) => Promise<void>;
  readonly onText: (text: string) => void;
  readonly onTooLong: () => void;
  /** The server knows the session no more. */
  readonly onGone: () => void;
};

/**
 * The stream on which a server of the revisions with sessions says what belongs to no call, such as `list_changed`.
 * It is opened again whenever it ends, from where it ended; a server without one is not asked twice. That nobody
 * answers says nothing here: calls and probes find that out.
 */
export async function listen(options: ListeningOptions): Promise<void> {
  const { client, session, signal, wait } = options;
  let lastId: string | undefined;
  let waitMs = FIRST_WAIT_MS;
  let wasOpen = false;
  while (!signal.aborted) {
    try {
      const headers = {
        accept: 'text/event-stream',
        ...sessionHeaders(session),
        ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
      };
      const answer = await client.request({ method: 'GET', headers, signal });
      if (answer.status !== 200 || answer.type !== 'text/event-stream') {
        discard(answer);
        if (answer.status < 500 && !wasOpen) return;
        if (answer.status === 404 && session.id !== null) return options.onGone();
      } else {
        wasOpen = true;
        waitMs = FIRST_WAIT_MS;
        for await (const { data, id, retryMs } of eventsOf(answer, options.maxLineBytes)) {
          lastId = id ?? lastId;
          waitMs = retryMs ?? waitMs;
          if (data !== '') options.onText(data);
        }
      }
    } catch (error) {
      if (error instanceof TooLong) return options.onTooLong();
      // It broke, or nobody answers: tried again below.
    }
    if (signal.aborted) return;
    await wait(waitMs, signal).catch(() => {
      // Aborted: the loop ends.
    });
    waitMs = Math.min(LAST_WAIT_MS, waitMs * 2);
  }
}
