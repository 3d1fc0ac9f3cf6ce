import { type IncomingMessage, request } from 'node:http';
import type { ExecutionContext } from 'ava';
import { baseUrl } from './harness.ts';
import { type RawAnswer, rawRequest } from './raw-http.ts';
import { eventsOf, type SseEvent } from './sse-events.ts';

export type OpenStream = {
  readonly response: IncomingMessage;
  readonly events: AsyncGenerator<SseEvent>;
  /** Breaks the connection, as a network would. */
  readonly leave: () => void;
};

/** A request whose answer is read event by event. It is left after the test. */
export async function openEvents(
  t: ExecutionContext,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<OpenStream> {
  const sent = request(new URL(path, baseUrl), { method, headers, agent: false });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).on('error', reject);
    sent.end(body);
  });
  const leave = (): void => void sent.destroy();
  t.teardown(leave);
  return { response, events: eventsOf(response), leave };
}

/** The next event; throws when the stream ends before it. */
export async function nextOf({ events }: OpenStream): Promise<SseEvent> {
  const { value, done } = await events.next();
  if (done === true) throw new Error('the stream ended');
  return value;
}

/** A client of the transport of 2024-11-05: its stream, and a way to post. */
export async function openSse(
  t: ExecutionContext,
  server: string,
): Promise<OpenStream & { readonly post: (body: unknown) => Promise<RawAnswer> }> {
  const stream = await openEvents(t, 'GET', `/sse/${server}`);
  const { event, data } = await nextOf(stream);
  if (event !== 'endpoint') throw new Error(`the first event is ${event}`);
  const post = (body: unknown): Promise<RawAnswer> =>
    rawRequest(new URL(data, baseUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { ...stream, post };
}
