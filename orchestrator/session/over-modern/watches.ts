import { type Clock, GantryError, isObject, type JsonRpcOutcome, META_PREFIX } from '../../kernel/index.ts';
import type { Replica, ServerMessage } from '../../routing/index.ts';
import { listening, subscriptionMeta } from '../modern/listening.ts';
import type { DescribedClient } from './client.ts';
import { answered, cannotGoOn, legacyOutcome, refusal } from './legacy-answer.ts';

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
/** One session needs a few; each is a request that stays open. */
const MAX_RESOURCES = 256;
/** A server may end a subscription that its client still wants; it is not asked again without a pause. */
const LISTEN_AGAIN_MS = 1000;

export type WatchesOptions = {
  readonly replica: Replica;
  readonly client: DescribedClient;
  readonly clock: Clock;
  readonly callTimeoutMs: number;
  /** Takes what has changed, as sessions are told. */
  readonly tell: (message: ServerMessage) => void;
};

/**
 * What a session is told of changes at a server without sessions: one subscription for its lists, and one for each
 * resource, so that each can begin and end without a gap in the others.
 */
export class Watches {
  readonly #options: WatchesOptions;
  readonly #resources = new Map<string, AbortController>();
  readonly #closing = new AbortController();

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** Tells of the lists that the server can tell of, until the end of the session. A refusal is no failure. */
  lists(capabilities: Readonly<Record<string, unknown>>): void {
    const changing = ['tools', 'prompts', 'resources'].filter((kind) => {
      const capability = capabilities[kind];
      return isObject(capability) && capability.listChanged === true;
    });
    if (changing.length === 0) return;
    const filter = Object.fromEntries(changing.map((kind) => [`${kind}ListChanged`, true]));
    void this.#keep(filter, this.#closing.signal, () => {}).catch(() => {
      // Without it the lists are as good as those of a server that tells nothing.
    });
  }

  /** Answers when the server watches. Twice is once. @throws GantryError replica_failed, call_timeout */
  async subscribe(uri: string): Promise<JsonRpcOutcome> {
    if (this.#resources.has(uri)) return answered({});
    if (this.#resources.size >= MAX_RESOURCES) {
      return cannotGoOn(`A session can subscribe to ${MAX_RESOURCES} resources here.`);
    }
    const ending = new AbortController();
    this.#resources.set(uri, ending);
    const acknowledged = Promise.withResolvers<JsonRpcOutcome>();
    const watching = this.#keep({ resourceSubscriptions: [uri] }, ending.signal, (notifications) => {
      const uris = isObject(notifications) ? notifications.resourceSubscriptions : undefined;
      const isWatched = Array.isArray(uris) && uris.includes(uri);
      acknowledged.resolve(isWatched ? answered({}) : notWatched(uri));
    });
    watching.then(acknowledged.resolve, acknowledged.reject);
    const { clock, callTimeoutMs } = this.#options;
    const cancelTimer = clock.after(callTimeoutMs, () => acknowledged.reject(tooLate(uri)));
    try {
      const outcome = await acknowledged.promise;
      if (!outcome.ok) this.unsubscribe(uri);
      return outcome;
    } catch (error) {
      this.unsubscribe(uri);
      throw error;
    } finally {
      cancelTimer();
    }
  }

  unsubscribe(uri: string): void {
    this.#resources.get(uri)?.abort();
    this.#resources.delete(uri);
  }

  close(): void {
    this.#closing.abort();
    for (const uri of [...this.#resources.keys()]) this.unsubscribe(uri);
  }

  /**
   * Listens until `ending` aborts, again where the server ends it.
   * @returns the server's refusal. @throws GantryError replica_failed
   */
  async #keep(
    notifications: Record<string, unknown>,
    ending: AbortSignal,
    onAcknowledged: (notifications: unknown) => void,
  ): Promise<JsonRpcOutcome> {
    const { replica, client, clock, tell } = this.#options;
    const onMessage = (message: ServerMessage): void => {
      if (message.kind !== 'notification') return;
      if (message.method === ACKNOWLEDGED) onAcknowledged(message.params?.notifications);
      else tell(withoutSubscription(message));
    };
    while (!ending.aborted && replica.available) {
      const params = client.paramsOf({ notifications });
      const outcome = await listening(replica, params, { signal: ending, onMessage });
      if (outcome === null) break;
      if (!outcome.ok) return legacyOutcome('subscriptions/listen', outcome);
      await new Promise<void>((resolve) => clock.after(LISTEN_AGAIN_MS, resolve));
    }
    return cannotGoOn('The subscription has ended.');
  }
}

function withoutSubscription(message: ServerMessage): ServerMessage {
  const meta = subscriptionMeta(message.params);
  if (meta === null) return message;
  const { _meta: _, ...params } = message.params ?? {};
  const kept = Object.entries(meta).filter(([key]) => !key.startsWith(META_PREFIX));
  return { ...message, params: kept.length === 0 ? params : { ...params, _meta: Object.fromEntries(kept) } };
}

function notWatched(uri: string): JsonRpcOutcome {
  return refusal(-32602, 'The server does not tell of changes of this resource.', { uri });
}

function tooLate(uri: string): GantryError {
  const message = `The server did not acknowledge the subscription to ${uri} in time.`;
  return new GantryError('call_timeout', message, { detail: { uri, mayHaveRun: true } });
}
