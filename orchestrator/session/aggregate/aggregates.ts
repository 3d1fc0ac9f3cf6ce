import {
  ALL_TOOLS,
  allowedTools,
  allowsTool,
  type Fact,
  type Facts,
  GantryError,
  type Offers,
  type ServerSet,
  type ToolFilter,
} from '../../kernel/index.ts';
import type { Router } from '../../routing/index.ts';
import { type Audience, audienceKey, commonOffers } from './audience.ts';
import type { Catalogue } from './catalogue.ts';
import type { Member } from './merged-lists.ts';
import { ALL_SERVERS, type Owned, setNameOf, sharedName } from './names.ts';

export type AggregatesOptions = {
  readonly router: Router;
  readonly facts: Facts;
  readonly catalogue: Catalogue;
  /** As they are now. */
  readonly sets: () => readonly ServerSet[];
};

/** States in which a server can serve nobody. */
const OUT: ReadonlySet<string> = new Set(['failed', 'stopped']);
/** After these a list of several servers may be another. */
const CHANGING: ReadonlySet<Fact['type']> = new Set([
  'server.offers',
  'server.state',
  'config.applied',
  'config.reload',
  'rollout.shifted',
]);

/** The sets of servers that are offered together: who is in them, and what is known of these. */
export class Aggregates {
  readonly #options: AggregatesOptions;
  readonly #watchers = new Set<() => void>();
  readonly #held = new Map<string, number>();
  readonly #stopListening: () => void;
  #isTelling = false;

  constructor(options: AggregatesOptions) {
    this.#options = options;
    this.#stopListening = options.facts.listen(
      () => this.#tellSoon(),
      (type) => CHANGING.has(type),
    );
  }

  /** @throws GantryError server_not_found */
  check(endpoint: string): void {
    if (endpoint === ALL_SERVERS || this.#find(endpoint) !== undefined) return;
    const sets = this.#options.sets().map(({ name }) => name);
    throw new GantryError('server_not_found', `There is no set of servers named ${setNameOf(endpoint)}.`, {
      detail: { set: setNameOf(endpoint), sets: ['all', ...sets] },
    });
  }

  /** The servers of a set that exist, in alphabetical order. */
  servers(endpoint: string): readonly string[] {
    return this.#wanted(endpoint).filter((name) => this.#exists(name));
  }

  /** Whether a set has this server, and a tool is not filtered out. */
  offers(endpoint: string, what: string, owned: Owned): boolean {
    if (!this.servers(endpoint).includes(owned.server)) return false;
    if (what !== 'tool') return true;
    const { tools } = this.#options.router.spec(owned.server);
    return allowsTool(tools, owned.own) && allowsTool(this.#filter(endpoint), sharedName(owned));
  }

  /**
   * What the members of a set are shown to offer. Nobody is asked, and nothing is started.
   * @param own what a client's own sessions have listed, which counts before all else
   */
  members(
    endpoint: string,
    audience: Audience,
    own: (server: string) => Offers | null = () => null,
  ): readonly Member[] {
    const existing = new Set(this.#options.catalogue.names());
    return this.#wanted(endpoint).map((server) => {
      if (!existing.has(server)) return { server, offers: null, state: 'unknown', reason: null };
      const { state, reason } = this.#options.catalogue.state(server);
      const offers = OUT.has(state) ? null : (own(server) ?? this.known(server, audience));
      return {
        server,
        offers: offers === null ? null : { ...offers, tools: this.#allowed(endpoint, server, offers.tools) },
        state,
        reason: reason?.code ?? null,
      };
    });
  }

  /** What is known without asking; null where nothing is. */
  known(server: string, audience: Audience): Offers | null {
    if (!this.#exists(server)) return null;
    const spec = this.#options.router.spec(server);
    const key = audienceKey(spec, audience);
    const learned = key === null ? null : this.#options.catalogue.learned(server, key);
    if (learned !== null) return learned;
    const offers = this.common(server);
    return offers === null ? null : commonOffers(spec, offers, audience);
  }

  /** As standing replicas listed it; another object where that has changed, or another program runs. */
  common(server: string): Offers | null {
    return this.#options.catalogue.offers(server);
  }

  /** Whether a server may offer this audience something else than is known. */
  isUnknown(server: string, audience: Audience): boolean {
    if (!this.#exists(server)) return false;
    const key = audienceKey(this.#options.router.spec(server), audience);
    return key !== null && this.#options.catalogue.learned(server, key) === null;
  }

  /** What a process listed that was greeted for this audience. */
  learn(server: string, audience: Audience, offers: Offers): void {
    if (!this.#exists(server)) return;
    const key = audienceKey(this.#options.router.spec(server), audience);
    if (key === null) return;
    this.#options.catalogue.learn(server, key, offers);
    this.#tellSoon();
  }

  /** How many sessions on a server are held by sessions on several. */
  sessionsOn(server: string): number {
    return this.#held.get(server) ?? 0;
  }

  /** One has begun, or is over. */
  held(server: string, by: 1 | -1): void {
    const count = this.sessionsOn(server) + by;
    if (count === 0) this.#held.delete(server);
    else this.#held.set(server, count);
  }

  /** A list had to do without these. */
  leftOut(members: readonly Member[]): void {
    for (const { server, offers, state, reason } of members) {
      // What does not exist is no label of a metric: anybody may write such a name.
      if (offers !== null || state === 'unknown') continue;
      this.#options.facts.state({ type: 'server.left_out', server, why: reason ?? state });
    }
  }

  /** The longest that any of its servers lets a session be idle, in milliseconds. */
  sessionIdleMs(endpoint: string): number {
    const each = this.servers(endpoint).map((name) => this.#options.router.spec(name).timeouts.sessionIdleMs);
    return each.length === 0 ? NOBODY_IDLE_MS : Math.max(...each);
  }

  /** Told after anything that may have changed a list. @returns a function that stops it */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  close(): void {
    this.#stopListening();
    this.#watchers.clear();
  }

  #find(endpoint: string): ServerSet | undefined {
    return this.#options.sets().find(({ name }) => name === setNameOf(endpoint));
  }

  /** Those of its definition, whether they exist or not. */
  #wanted(endpoint: string): readonly string[] {
    const { catalogue } = this.#options;
    const names = endpoint === ALL_SERVERS ? catalogue.names() : (this.#find(endpoint)?.servers ?? []);
    return names.toSorted();
  }

  #filter(endpoint: string): ToolFilter {
    return this.#find(endpoint)?.tools ?? ALL_TOOLS;
  }

  /** What is left by the filters of the server and of the set; the same array where that is all. */
  #allowed(endpoint: string, server: string, tools: Offers['tools']): Offers['tools'] {
    const ofServer = allowedTools(this.#options.router.spec(server).tools, tools);
    const filter = this.#filter(endpoint);
    if (filter === ALL_TOOLS) return ofServer;
    return ofServer.filter(({ name }) => allowsTool(filter, sharedName({ server, own: name })));
  }

  #exists(server: string): boolean {
    return this.#options.catalogue.names().includes(server);
  }

  /** Once for all that happens in one turn of the event loop. */
  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      for (const watcher of this.#watchers) watcher();
    });
  }
}

/** As `timeouts.sessionIdleMs` is by default. */
const NOBODY_IDLE_MS = 1_800_000;
