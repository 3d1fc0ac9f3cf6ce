import { isJsonRpcId, isObject, type JsonRpcId } from '../../kernel/index.ts';
import type { ServerMessage } from '../../routing/index.ts';
import type { HeldServer } from './held-server.ts';
import { sharedUri } from './names.ts';

type Question = { readonly held: HeldServer; readonly id: JsonRpcId; readonly progressToken: unknown };

/**
 * Messages of several servers on their way to one client. Each server numbers its requests for itself, so they get ids of
 * the session's own here, and the answers find their way back by them.
 */
export class ToClient {
  readonly #open = new Map<string, Question>();
  #count = 0;

  /** As the client is to see it. */
  message(held: HeldServer, message: ServerMessage): ServerMessage {
    if (message.kind === 'request') return this.#request(held, message);
    const { method, params } = message;
    switch (method) {
      case 'notifications/cancelled':
        return { ...message, params: { ...params, requestId: this.#withdrawn(held, params?.requestId) } };
      case 'notifications/resources/updated':
        if (typeof params?.uri !== 'string') return message;
        return {
          ...message,
          params: { ...params, uri: sharedUri({ server: held.server, own: params.uri }) },
        };
      case 'notifications/message': {
        const logger = typeof params?.logger === 'string' ? `${held.server}/${params.logger}` : held.server;
        return { ...message, params: { ...params, logger } };
      }
      default:
        return message;
    }
  }

  /** Whose request the client answers, and its id there; null where nobody asked. */
  answered(id: JsonRpcId): { readonly held: HeldServer; readonly id: JsonRpcId } | null {
    const asked = typeof id === 'string' ? this.#open.get(id) : undefined;
    if (asked === undefined) return null;
    this.#open.delete(String(id));
    return asked;
  }

  /** Whose request the client reports progress of, and the token that it has there. */
  progress(token: unknown): { readonly held: HeldServer; readonly progressToken: unknown } | null {
    return (typeof token === 'string' && this.#open.get(token)) || null;
  }

  /** Its requests are not answered any more. @returns their ids as the client knows them */
  forget(held: HeldServer): readonly string[] {
    const ids = [...this.#open].filter(([, asked]) => asked.held === held).map(([id]) => id);
    for (const id of ids) this.#open.delete(id);
    return ids;
  }

  #request(held: HeldServer, message: Extract<ServerMessage, { kind: 'request' }>): ServerMessage {
    const id = `${held.server}:${++this.#count}`;
    const meta = isObject(message.params?._meta) ? message.params._meta : {};
    const { progressToken } = meta;
    this.#open.set(id, { held, id: message.id, progressToken });
    if (progressToken === undefined) return { ...message, id };
    return { ...message, id, params: { ...message.params, _meta: { ...meta, progressToken: id } } };
  }

  #withdrawn(held: HeldServer, requestId: unknown): unknown {
    if (!isJsonRpcId(requestId)) return requestId;
    const found = [...this.#open].find(([, asked]) => asked.held === held && asked.id === requestId);
    if (found === undefined) return requestId;
    this.#open.delete(found[0]);
    return found[0];
  }
}
