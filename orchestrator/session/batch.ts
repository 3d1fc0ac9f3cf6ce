import { GantryError, type JsonRpcId } from '../kernel/index.ts';
import { type ClientMessage, readClientMessage } from './client-message.ts';

/** The one revision that has batches; the next one took them away. */
export const BATCH_VERSION = '2025-03-26';
/** Nobody was seen to send more than a dozen; each request of a batch is a call at once. */
const MAX_MESSAGES = 100;

/**
 * Reads an array body strictly: every message as if it had come alone, before any of them is acted on.
 * @param texts the exact text of each element, @param values the same, parsed.
 * @throws GantryError invalid_request
 */
export function readBatch(texts: readonly string[], values: readonly unknown[]): readonly ClientMessage[] {
  if (values.length === 0) throw refused('A batch needs at least one message.');
  if (values.length > MAX_MESSAGES) throw refused(`A batch has at most ${MAX_MESSAGES} messages.`);
  const messages = values.map((value, index) => readClientMessage(texts[index] ?? '', value));
  const ids = new Set<JsonRpcId>();
  for (const message of messages) {
    if (message.kind !== 'request') continue;
    if (message.method === 'initialize') throw refused('initialize is never part of a batch.');
    if (ids.has(message.id))
      throw refused(`Two requests of the batch have the id ${JSON.stringify(message.id)}.`);
    ids.add(message.id);
  }
  return messages;
}

function refused(message: string): GantryError {
  return new GantryError('invalid_request', message);
}
