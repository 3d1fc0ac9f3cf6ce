import { createParser } from 'eventsource-parser';
import type { HttpAnswer } from './http-client.ts';
import { TooLong } from './remote-failure.ts';

export type SseEvent = {
  readonly data: string;
  readonly id: string | undefined;
  /** How long the server wants to be left alone before somebody comes back, in milliseconds. */
  readonly retryMs: number | undefined;
};

/** A whole body. @throws TooLong, whatever the connection throws */
export async function bytesOf({ body }: HttpAnswer, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maxBytes) throw new TooLong();
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The same as text. @throws as `bytesOf`, TypeError where it is not UTF-8 */
export async function textOf(answer: HttpAnswer, maxBytes: number): Promise<string> {
  return strictUtf8().decode(await bytesOf(answer, maxBytes));
}

/** The events of a stream as they come. An id without data counts too: it is where to come back to. @throws as `textOf` */
export async function* eventsOf({ body }: HttpAnswer, maxBytes: number): AsyncGenerator<SseEvent> {
  let events: SseEvent[] = [];
  let retryMs: number | undefined;
  let id: string | undefined;
  let isTooLong = false;
  const parser = createParser({
    maxBufferSize: maxBytes,
    onId(given) {
      id = given;
      events.push({ data: '', id, retryMs });
    },
    onRetry(given) {
      retryMs = given;
    },
    onEvent({ data, event }) {
      isTooLong ||= data.length > maxBytes;
      if (event === undefined || event === 'message') events.push({ data, id, retryMs });
    },
    onError(error) {
      isTooLong ||= error.type === 'max-buffer-size-exceeded';
    },
  });
  const decoder = strictUtf8();
  for await (const part of body as AsyncIterable<Buffer>) {
    parser.feed(decoder.decode(part, { stream: true }));
    if (isTooLong) throw new TooLong();
    const ready = events;
    events = [];
    yield* ready;
  }
}

/** What is not UTF-8 is no message; nothing is repaired. */
function strictUtf8() {
  return new TextDecoder('utf-8', { fatal: true });
}

/** Leaves the rest unread. */
export function discard({ body }: HttpAnswer): void {
  body.on('error', () => {
    // Nobody wants what is left of it.
  });
  body.destroy();
}
