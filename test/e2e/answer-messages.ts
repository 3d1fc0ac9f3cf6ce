import type { IncomingMessage } from 'node:http';
import type { RpcMessage } from './mcp-session.ts';
import { eventsOf } from './sse-events.ts';

/** The messages of an answer in the order they came, be it JSON or a stream. */
export async function* messagesOf(response: IncomingMessage): AsyncGenerator<RpcMessage> {
  const isStream = String(response.headers['content-type']).startsWith('text/event-stream');
  if (!isStream) return yield JSON.parse(await wholeText(response)) as RpcMessage;
  for await (const { data } of eventsOf(response)) yield JSON.parse(data) as RpcMessage;
}

export async function wholeText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return text;
}
