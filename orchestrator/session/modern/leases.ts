import {
  type Clock,
  type Facts,
  GantryError,
  type JsonRpcOutcome,
  NOBODY_TO_ASK,
  type ServerSpec,
  sorted,
} from '../../kernel/index.ts';
import {
  GREETING,
  type Handshake,
  type Replica,
  type Router,
  type ServerMessage,
} from '../../routing/index.ts';
import { toldOf } from './both-eras.ts';
import { type Leased, type Opened, type Want, WarmReplicas } from './replicas.ts';

/** Whose call, and what its client can be asked for. */
export type Caller = {
  readonly spec: ServerSpec;
  readonly principal: string;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
};

/** News of a process that belong to no call; `principal` is null where it is everybody's. */
export type OnLoose = (source: Replica, principal: string | null, message: ServerMessage) => void;

const NEWS = /^notifications\/(?:(?:tools|prompts|resources)\/list_changed|resources\/updated)$/;

/**
 * Finds the replica of a legacy server for one call without a session. Capabilities are settled by the handshake
 * and change what a server offers, so replicas are kept apart by them, and by principal.
 */
export class Leases {
  readonly #router: Router;
  readonly #warm: WarmReplicas;
  readonly #facts: Facts;
  readonly #onLoose: OnLoose;

  constructor(options: { router: Router; clock: Clock; facts: Facts; onLoose: OnLoose }) {
    this.#router = options.router;
    this.#warm = new WarmReplicas(options.clock);
    this.#facts = options.facts;
    this.#onLoose = options.onLoose;
  }

  /**
   * @param use `exclusive` where the call wants what the server says without correlation, questions above all; never
   *   granted under sharing `shared`. `listen` where calls of others may go on, exclusive ones too.
   * @throws GantryError no_replica, queue_full, replica_failed, cancelled
   */
  async lease(caller: Caller, use: Want['use']): Promise<Leased> {
    const { spec, capabilities, signal } = caller;
    switch (spec.sharing) {
      case 'shared':
        return this.#fromPool(caller);
      case 'call':
        return once(await this.#openOwn(caller));
      case 'session':
      case 'principal':
        // A standing replica that was put to rest is among those that are looked at.
        await this.#router.wake(spec.name);
        return this.#warm.lease({
          spec,
          key: leaseKey(caller),
          use,
          // The state in a principal's process is the point of this mode, so there is one process.
          max: spec.sharing === 'principal' ? 1 : spec.maxSessions,
          open: (isFirst) =>
            isFirst && isEmpty(toldOf(capabilities)) ? this.#held(caller) : this.#openOwn(caller),
          signal,
        });
    }
  }

  /** A fresh replica, greeted with what this client can do. Throws as `lease`. */
  async #openOwn({ spec, principal, capabilities, signal }: Caller): Promise<Opened> {
    const hello = { ...GREETING, capabilities: toldOf(capabilities) };
    const replica =
      spec.sharing === 'call'
        ? await this.#router.openForCall(spec.name, principal, hello, { signal })
        : await this.#router.openForSession(spec.name, principal, hello);
    const end = (why: string): void => void this.#router.release(replica, why);
    this.#listen(replica, principal);
    try {
      const outcome = await replica.greet(spec.timeouts.readyMs, toldOf(capabilities));
      if (outcome.ok) return { replica, end };
      const message = `Server ${spec.name} refused the handshake: ${outcome.error.message}`;
      throw new GantryError('replica_failed', message, { detail: { server: spec.name, mayHaveRun: false } });
    } catch (error) {
      end('the handshake failed');
      throw error;
    }
  }

  /**
   * One call of a pool (sharing `shared`), where any replica may serve it and another may take over.
   * @throws as `Router.call`
   */
  async call(
    { spec, principal, signal }: Caller,
    request: { readonly method: string; readonly params: Record<string, unknown> | undefined },
    onMessage: (message: ServerMessage) => void = () => {},
  ): Promise<{ readonly outcome: JsonRpcOutcome; readonly handshake: Handshake | null }> {
    let handshake: Handshake | null = null;
    const onReplica = (replica: Replica): void => {
      ({ handshake } = replica);
      this.#listen(replica, null);
    };
    const options = { signal, onMessage, onReplica };
    const outcome = await this.#router.call(spec.name, principal, request, options);
    return { outcome, handshake };
  }

  /** What the server said of itself. @throws as `lease` */
  async handshake(caller: Caller): Promise<Handshake> {
    const { spec, principal } = caller;
    if (spec.sharing === 'shared') return await this.#router.handshake(spec.name, principal);
    const { replica, release } = await this.lease(caller, 'together');
    release();
    if (replica.handshake !== null) return replica.handshake;
    throw new GantryError('no_replica', 'The server has not completed its handshake.');
  }

  close(): void {
    this.#warm.close('the orchestrator is stopping');
  }

  async #fromPool({ spec, principal, signal }: Caller): Promise<Leased> {
    const { replica, done } = await this.#router.lease(spec.name, principal, { signal });
    this.#listen(replica, null);
    return { replica, ...NO_TURNS, release: () => done(), discard: () => done() };
  }

  /** The replica that serves this principal's calls over the API too: it was greeted without capabilities. */
  async #held({ spec, principal }: Caller): Promise<Opened> {
    const { replica } = await this.#router.lease(spec.name, principal);
    this.#listen(replica, principal);
    return { replica, end: null };
  }

  #listen(replica: Replica, principal: string | null): void {
    const { server, id } = replica.identity;
    const dropped = (why: string): void =>
      this.#facts.state({ type: 'line.dropped', server, replica: id, why, count: 1 });
    replica.listen((message) => {
      if (message.kind === 'notification') {
        if (!NEWS.test(message.method)) return dropped('unattributed_notification');
        return this.#onLoose(replica, principal, message);
      }
      if (message.method !== 'ping') dropped('unattributed_request');
      const answer = message.method === 'ping' ? { result: {} } : { error: NOBODY_TO_ASK };
      replica.respond(message.id, answer).catch(() => {
        // The process has ended meanwhile; it waits for nothing any more.
      });
    });
  }
}

/** Calls with the same key may use the same replicas. */
export function leaseKey({ spec, principal, capabilities }: Caller): string {
  const who = spec.sharing === 'shared' ? null : principal;
  const what = spec.sharing === 'shared' ? {} : toldOf(capabilities);
  return JSON.stringify([spec.name, spec.sharing, who, sorted(what)]);
}

/** Nobody waits for such a replica. */
export const NO_TURNS = { pause: () => {}, resume: async () => {} };

function once({ replica, end }: Opened): Leased {
  return { replica, ...NO_TURNS, release: () => end?.('call ended'), discard: (why) => end?.(why) };
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
