import { GantryError, isObject, OFFER_KINDS } from '../../kernel/index.ts';
import type { EncodeError } from '../calls.ts';
import type { HeaderOf, ModernRequest } from '../modern/request.ts';
import { type ListenFilter, readFilter, Subscription } from '../modern/subscriptions.ts';
import type { OutEvent, OutStream } from '../out-stream.ts';
import type { Aggregates } from './aggregates.ts';
import type { Audience } from './audience.ts';
import type { InnerCalls } from './inner-calls.ts';
import { type Member, ShownLists } from './merged-lists.ts';
import { ownerOfUri, sharedUri } from './names.ts';
import type { ProcessLists } from './process-lists.ts';

export type ListenOptions = {
  readonly aggregates: Aggregates;
  readonly inner: InnerCalls;
  readonly lists: ProcessLists;
  readonly encodeError: EncodeError;
};

export type ListenRequest = {
  readonly endpoint: string;
  readonly audience: Audience;
  readonly request: ModernRequest;
  readonly headerOf: HeaderOf;
  /** Aborts when the client leaves. */
  readonly gone: AbortSignal;
  /** What the client is shown now. */
  readonly members: () => readonly Member[];
};

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';

/**
 * One `subscriptions/listen` on several servers. Resources are watched at their servers, which the acknowledgement
 * waits for. Lists are compared with what is known, which starts nothing; a server that the client calls is
 * listened to from then on.
 */
export class MergedListen {
  readonly principal: string;
  readonly #asked: ListenRequest;
  readonly #options: ListenOptions;
  readonly #subscription: Subscription;
  /** Without resources: what is wanted of every server. */
  readonly #lists: ListenFilter;
  readonly #shown = new ShownLists();
  readonly #attached = new Set<string>();
  readonly #leaving = new AbortController();
  readonly #over = Promise.withResolvers<void>();

  constructor(asked: ListenRequest, options: ListenOptions) {
    this.#asked = asked;
    this.#options = options;
    const { endpoint, audience, request, gone, members } = asked;
    this.principal = audience.principal;
    const { resourceSubscriptions = [], ...lists } = readFilter(request.params.notifications);
    this.#lists = lists;
    const filter = { ...lists, resourceSubscriptions };
    this.#subscription = new Subscription({
      server: endpoint,
      principal: this.principal,
      id: request.id,
      filter,
    });
    for (const kind of OFFER_KINDS) this.#shown.show(kind, members());
    const stopWatching = options.aggregates.watch(() => this.#tellChanges());
    gone.addEventListener('abort', () => this.#leave(), { once: true });
    void this.#over.promise.then(stopWatching);
    if (gone.aborted) this.#leave();
    else void this.#begin(resourceSubscriptions);
  }

  get stream(): OutStream<OutEvent> {
    return this.#subscription.stream;
  }

  /** Settles when its client has left, or it has ended. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Hears of a server that has a process for this client. */
  attach(server: string): void {
    const { aggregates } = this.#options;
    if (Object.keys(this.#lists).length === 0 || this.#attached.has(server)) return;
    if (!aggregates.servers(this.#asked.endpoint).includes(server)) return;
    this.#attached.add(server);
    void this.#listen(server, this.#lists, () => {}).then(
      () => this.#attached.delete(server),
      () => this.#attached.delete(server), // it cannot tell of its lists
    );
  }

  /** The polite end. */
  end(): void {
    this.#subscription.end();
    this.#leave();
  }

  async #begin(uris: readonly string[]): Promise<void> {
    const granted = await Promise.all([...this.#byServer(uris)].map((each) => this.#watch(...each)));
    const resourceSubscriptions = granted.flat();
    this.#subscription.acknowledge(
      resourceSubscriptions.length === 0 ? this.#lists : { ...this.#lists, resourceSubscriptions },
    );
  }

  #byServer(uris: readonly string[]): ReadonlyMap<string, string[]> {
    const servers = this.#options.aggregates.servers(this.#asked.endpoint);
    const found = new Map<string, string[]>();
    for (const uri of uris) {
      const owned = ownerOfUri(uri);
      if (owned === null || !servers.includes(owned.server)) continue;
      found.set(owned.server, [...(found.get(owned.server) ?? []), owned.own]);
    }
    return found;
  }

  /** @returns the URIs, as the client knows them, that its server tells of; none where it cannot be had */
  #watch(server: string, uris: readonly string[]): Promise<readonly string[]> {
    this.#attached.add(server);
    return new Promise((resolve) => {
      let isGranted = false;
      const onGranted = (own: readonly string[]): void => {
        isGranted = true;
        resolve(own.map((uri) => sharedUri({ server, own: uri })));
      };
      const over = (): void => {
        this.#attached.delete(server);
        if (isGranted) this.#lost(server);
        else resolve([]);
      };
      void this.#listen(server, { ...this.#lists, resourceSubscriptions: uris }, onGranted).then(over, over);
    });
  }

  /** Listens to one server until either ends. @throws as `StatelessCalls.take` */
  async #listen(
    server: string,
    notifications: ListenFilter,
    onGranted: (own: readonly string[]) => void,
  ): Promise<void> {
    const { request, headerOf } = this.#asked;
    const params = { notifications, _meta: request.meta };
    const opened = { method: 'subscriptions/listen', params };
    const reply = await this.#options.inner.open(
      server,
      this.principal,
      opened,
      headerOf,
      this.#leaving.signal,
    );
    if (reply.kind !== 'stream') return;
    // Whoever reads a stream ends it when they leave.
    this.#leaving.signal.addEventListener('abort', () => reply.stream.end(), { once: true });
    for await (const { data } of reply.stream) {
      const message: unknown = JSON.parse(data);
      if (!isObject(message) || typeof message.method !== 'string') return; // its end
      const heard = isObject(message.params) ? message.params : {};
      if (message.method !== ACKNOWLEDGED) await this.#heard(server, message.method, heard);
      else onGranted(urisOf(heard.notifications));
    }
  }

  async #heard(server: string, method: string, params: Record<string, unknown>): Promise<void> {
    const { _meta: _theirs, ...rest } = params;
    if (method === 'notifications/resources/updated' && typeof params.uri === 'string') {
      const uri = sharedUri({ server, own: params.uri });
      return this.#subscription.tell({ kind: 'notification', method, params: { ...rest, uri } });
    }
    // Told when the new list is there, since clients ask for it at once.
    await this.#options.lists.changed(server, this.#asked.audience, this.#asked);
    this.#shown.changes(this.#asked.members());
    this.#subscription.tell({ kind: 'notification', method, params: rest });
  }

  #tellChanges(): void {
    for (const method of this.#shown.changes(this.#asked.members())) {
      this.#subscription.tell({ kind: 'notification', method, params: undefined });
    }
  }

  #lost(server: string): void {
    if (this.#leaving.signal.aborted) return;
    const message = `The process that watched resources of ${server} has ended. Subscribe again, and read them anew.`;
    const error = new GantryError('replica_failed', message, { detail: { server } });
    this.#subscription.fail(this.#options.encodeError(this.#asked.request.id, error));
    this.#leave();
  }

  #leave(): void {
    this.#leaving.abort();
    this.#over.resolve();
  }
}

function urisOf(notifications: unknown): readonly string[] {
  const uris = isObject(notifications) ? notifications.resourceSubscriptions : undefined;
  return Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [];
}
