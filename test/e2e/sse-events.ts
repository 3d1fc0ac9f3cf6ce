import type { IncomingMessage } from 'node:http';

export type SseEvent = { readonly event: string; readonly data: string; readonly id: string | null };

/** The events of a stream while it runs. Comments and events without data (keep-alive, priming) are left out. */
export async function* eventsOf(response: IncomingMessage): AsyncGenerator<SseEvent> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    rest += chunk as string;
    let end = rest.indexOf('\n\n');
    while (end !== -1) {
      const event = parseEvent(rest.slice(0, end));
      rest = rest.slice(end + 2);
      if (event.data !== '') yield event;
      end = rest.indexOf('\n\n');
    }
  }
}

function parseEvent(block: string): SseEvent {
  const fields = block.split('\n').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')] as const;
  });
  const last = (name: string): string | undefined => fields.findLast(([field]) => field === name)?.[1];
  const data = fields.filter(([field]) => field === 'data').map(([, value]) => value);
  return { event: last('event') ?? 'message', data: data.join('\n'), id: last('id') ?? null };
}
