import { type JsonRpcId, SUBSCRIPTION_KEY } from '../../kernel/index.ts';
import type { Replica, ServerMessage } from '../../routing/index.ts';
import { type OutEvent, OutStream } from '../out-stream.ts';

const LIST_CHANGES: Readonly<Record<string, string>> = {
  'notifications/tools/list_changed': 'toolsListChanged',
  'notifications/prompts/list_changed': 'promptsListChanged',
  'notifications/resources/list_changed': 'resourcesListChanged',
};

/** What a client wants to hear of (MCP 2026-07-28, subscriptions). */
export type ListenFilter = {
  readonly toolsListChanged?: true;
  readonly promptsListChanged?: true;
  readonly resourcesListChanged?: true;
  readonly resourceSubscriptions?: readonly string[];
};

/** Reads what was asked for; anything else is left out, and the acknowledgement says so. */
export function readFilter(notifications: unknown): ListenFilter {
  const given = (typeof notifications === 'object' && notifications !== null ? notifications : {}) as Record<
    string,
    unknown
  >;
  const uris = Array.isArray(given.resourceSubscriptions)
    ? given.resourceSubscriptions.filter((uri): uri is string => typeof uri === 'string')
    : [];
  const lists = Object.values(LIST_CHANGES).filter((key) => given[key] === true);
  return {
    ...Object.fromEntries(lists.map((key) => [key, true])),
    ...(uris.length > 0 ? { resourceSubscriptions: [...new Set(uris)] } : {}),
  };
}

/** One open `subscriptions/listen`. */
export class Subscription {
  readonly stream = new OutStream<OutEvent>();
  readonly server: string;
  readonly principal: string;
  readonly #id: JsonRpcId;
  #filter: ListenFilter;
  /** The process in which its resources are watched. */
  source: Replica | null = null;
  /** What was said before the acknowledgement, which comes first; null once it is out. */
  #early: string[] | null = [];

  constructor(options: { server: string; principal: string; id: JsonRpcId; filter: ListenFilter }) {
    this.server = options.server;
    this.principal = options.principal;
    this.#id = options.id;
    this.#filter = options.filter;
  }

  /** To be called once, when all that is in the filter will be told from now on. @param filter where it is less than was asked for */
  acknowledge(filter: ListenFilter = this.#filter): void {
    this.#filter = filter;
    const early = this.#early ?? [];
    this.#early = null;
    this.#push('notifications/subscriptions/acknowledged', { notifications: this.#filter });
    for (const data of early) this.stream.push({ data });
  }

  /** A change somewhere: told where it was asked for. */
  tell({ method, params }: ServerMessage): void {
    const list = LIST_CHANGES[method];
    const isWanted =
      list === undefined
        ? method === 'notifications/resources/updated' &&
          this.#filter.resourceSubscriptions?.includes(params?.uri as string) === true
        : list in this.#filter;
    if (isWanted) this.#push(method, params ?? {});
  }

  /** The polite end: the request is answered. */
  end(): void {
    const result = { resultType: 'complete', _meta: this.#tag };
    this.stream.push({ data: JSON.stringify({ jsonrpc: '2.0', id: this.#id, result }) });
    this.stream.end();
  }

  fail(encoded: string): void {
    this.stream.push({ data: encoded });
    this.stream.end();
  }

  get #tag(): Record<string, unknown> {
    return { [SUBSCRIPTION_KEY]: this.#id };
  }

  #push(method: string, params: Record<string, unknown>): void {
    const meta = typeof params._meta === 'object' ? params._meta : {};
    const tagged = { ...params, _meta: { ...meta, ...this.#tag } };
    const data = JSON.stringify({ jsonrpc: '2.0', method, params: tagged });
    if (this.#early !== null) this.#early.push(data);
    else this.stream.push({ data });
  }
}

/** All open subscriptions. What one principal's process says is told to that principal only. */
export class Subscriptions {
  readonly #open = new Set<Subscription>();

  /** @returns how to remove it */
  add(subscription: Subscription): () => void {
    this.#open.add(subscription);
    return () => this.#open.delete(subscription);
  }

  has(server: string): boolean {
    return [...this.#open].some((one) => one.server === server);
  }

  count(server: string, principal: string): number {
    return [...this.#open].filter((one) => one.server === server && one.principal === principal).length;
  }

  /**
   * Lists may have changed for all of a principal's clients; a resource only for whoever watches it in that process.
   * @param principal null where the process is everybody's
   */
  announce(source: Replica, principal: string | null, message: ServerMessage): void {
    const isList = message.method in LIST_CHANGES;
    const { server } = source.identity;
    for (const one of this.#open) {
      const isConcerned = isList
        ? one.server === server && (principal === null || one.principal === principal)
        : one.source === source;
      if (isConcerned) one.tell(message);
    }
  }

  close(): void {
    for (const one of this.#open) one.end();
    this.#open.clear();
  }
}
