import { GantryError, type JsonRpcOutcome } from '../kernel/index.ts';
import { BATCH_VERSION } from './batch.ts';
import { initialized, versionOf } from './begin.ts';
import { type ClientMessage, NO_BATCH } from './client-message.ts';
import type { Left } from './left-sessions.ts';
import { type OutEvent, type OutStream, PATIENCE_MS } from './out-stream.ts';
import type { Reply, Sender, SessionsOptions } from './sender.ts';
import type { Session } from './session.ts';
import { SessionKeeper } from './session-keeper.ts';
import { SessionMaker } from './session-maker.ts';
import { SessionTable } from './session-table.ts';

const SWEEP_MS = 1000;
/** A session on a shared process costs little, but not nothing. */
const MAX_SESSIONS = 20_000;

export type Pin = Pick<Session, 'key' | 'server' | 'principal' | 'replica'>;

/** All sessions of this process, by id. An id is never enough: it is bound to its server and its principal. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new SessionTable();
  readonly #keeper: SessionKeeper;
  readonly #maker: SessionMaker;
  #stopSweep: () => void = () => {};
  #closing = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#keeper = new SessionKeeper(options.book ?? null, options.clock);
    this.#maker = new SessionMaker(options, this.#keeper);
    this.#sweepLater();
  }

  /** How many sessions a server has. */
  count(server: string): number {
    let count = 0;
    for (const session of this.#sessions) if (session.server === server) count++;
    return count;
  }

  /** Which session is whose, and which replica is its own; null where it shares others. */
  get pins(): readonly Pin[] {
    return this.#sessions.all.map(({ key, server, principal, replica }) => ({
      key,
      server,
      principal,
      replica,
    }));
  }

  /** Whether somebody has a stream open to hear of a server beside their calls, on a share of its replicas. */
  isListening(server: string): boolean {
    return this.#sessions.all.some((session) => session.server === server && session.isListening);
  }

  /**
   * One message of a client.
   * @param gone makes a signal that aborts when the client's connection is gone; only an initialize is withdrawn by it,
   *   since a broken connection is not a cancellation in this era (MCP 2025-11-25, basic/transports).
   * @throws GantryError server_not_found, session_not_found, invalid_request, no_replica, queue_full, replica_failed, call_timeout
   */
  async take(sender: Sender, message: ClientMessage, gone: () => AbortSignal): Promise<Reply> {
    this.#options.endpoints.check(sender.server);
    if (message.kind === 'request' && message.method === 'initialize' && sender.sessionId === null) {
      const begun = await this.begin(sender, message.params ?? {}, gone());
      return { kind: 'json', ...begun };
    }
    const session = this.#find(sender);
    if (message.kind === 'request') {
      const answer = await session.call(message.id, message.method, message.params, PATIENCE_MS);
      return { ...answer, sessionId: null };
    }
    if (message.kind === 'notification') await session.notify(message.method, message.params);
    else await session.respond(message.id, message.answer);
    return { kind: 'accepted' };
  }

  /**
   * Whether an array body may be read at all.
   * @throws GantryError invalid_request unless the session agreed on the one revision with batches, session_not_found
   */
  checkBatch(sender: Sender): void {
    if (sender.sessionId === null || this.#find(sender).version !== BATCH_VERSION) {
      throw new GantryError('invalid_request', NO_BATCH);
    }
  }

  /** Messages that came as an array, after `checkBatch` and `readBatch`. @throws as `take` */
  async takeBatch(sender: Sender, messages: readonly ClientMessage[]): Promise<Reply> {
    const session = this.#find(sender);
    const requests = messages.filter((message) => message.kind === 'request');
    session.checkFree(requests); // before anything of the batch is acted on
    for (const message of messages) {
      if (message.kind === 'notification') await session.notify(message.method, message.params);
      if (message.kind === 'response') await session.respond(message.id, message.answer);
    }
    if (requests.length === 0) return { kind: 'accepted' };
    return { ...(await session.callAll(requests, PATIENCE_MS)), sessionId: null };
  }

  /** The stream for messages that belong to no call. @throws session_not_found, invalid_state */
  listen(sender: Sender): OutStream<OutEvent> {
    this.#options.endpoints.check(sender.server);
    return this.#find(sender).listen();
  }

  /**
   * The rest of a stream that broke off: what followed an event, then what is still to come. A broken stream
   * cancels nothing, so its call may still be running.
   * @returns null when the stream is over and nothing of it was missed
   * @throws session_not_found, invalid_request for an event id that is not of this session
   */
  async resume(sender: Sender, lastEventId: string): Promise<OutStream<OutEvent> | null> {
    this.#options.endpoints.check(sender.server);
    return this.#find(sender).resume(lastEventId);
  }

  /** DELETE. @throws session_not_found */
  end(sender: Sender): void {
    this.#options.endpoints.check(sender.server);
    this.#close(this.#find(sender), 'ended by the client');
  }

  /** New sessions are refused, the present ones go on. */
  drain(): void {
    this.#closing = true;
  }

  /** What the next start takes over is left to it; the others end. */
  close(): void {
    this.#closing = true;
    this.#stopSweep();
    this.#keeper.close();
    for (const session of this.#sessions.all) {
      if (this.#keeper.has(session)) session.leave();
      else this.#close(session, 'the orchestrator is stopping');
    }
  }

  /** Goes on with what an earlier start left, before anybody asks for it. @throws as `SessionMaker.restored` */
  async restore(left: Left): Promise<void> {
    for (const session of await this.#maker.restored(left, (server) => this.#idleLimitMs(server))) {
      this.#add(session);
      this.#options.facts.state({ type: 'session.restored', server: session.server });
    }
  }

  /**
   * Begins a session by its initialize; an error of the server is an outcome, without a session.
   * @param resumable whether the client can come back to a stream that broke
   * @throws as `take`
   */
  async begin(
    sender: Sender,
    params: Record<string, unknown>,
    gone: AbortSignal,
    resumable = true,
  ): Promise<{ readonly outcome: JsonRpcOutcome; readonly sessionId: string | null }> {
    const { endpoints, facts } = this.#options;
    const { server, principal } = sender;
    this.#refuseWhenFull(server);
    const backend = await endpoints.open(server, principal, params);
    // It listens before the handshake: servers log before they answer, and ask for roots right behind the answer.
    const session = this.#maker.make({ server, principal, backend }, resumable);
    const outcome = await initialized(backend, params, gone);
    if (!outcome.ok) return { outcome, sessionId: null };
    session.agreed(versionOf(outcome.result));
    try {
      this.#refuseWhenFull(server); // much may have happened since
    } catch (error) {
      session.end('it came too late');
      throw error;
    }
    this.#add(session);
    facts.state({ type: 'session.opened', server });
    // Before its client knows it: what was told has to be true after a restart.
    if (resumable) await this.#keeper.keep(session, backend, params);
    return { outcome, sessionId: session.id };
  }

  #add(session: Session): void {
    this.#sessions.add(session);
    void session.over.then(() => this.#close(session, 'its process ended'));
  }

  #refuseWhenFull(server: string): void {
    if (!this.#closing && this.#sessions.size < MAX_SESSIONS) return;
    const detail = { server, retryAfterMs: 5000 };
    throw this.#closing
      ? new GantryError('no_replica', 'The orchestrator is stopping and opens no new sessions.', { detail })
      : new GantryError('queue_full', `There are ${MAX_SESSIONS} sessions, as many as one process holds.`, {
          detail,
        });
  }

  #find({ server, principal, sessionId }: Sender): Session {
    if (sessionId === null) {
      throw new GantryError(
        'invalid_request',
        'The Mcp-Session-Id header is missing: send initialize first, then its session id with every message.',
      );
    }
    const session = this.#sessions.find(sessionId);
    // A session of somebody else is not there: saying more would tell that the id exists.
    if (session === undefined || session.server !== server || session.principal !== principal) {
      throw new GantryError(
        'session_not_found',
        'This session does not exist or has ended: send initialize again.',
        {
          detail: { server },
        },
      );
    }
    return session;
  }

  #close(session: Session, why: string): void {
    if (!this.#sessions.delete(session)) return;
    this.#keeper.drop(session);
    this.#options.facts.state({ type: 'session.closed', server: session.server, why });
    session.end(why);
  }

  #sweepLater(): void {
    this.#stopSweep = this.#options.clock.after(SWEEP_MS, () => {
      for (const session of this.#sessions.all) {
        const limitMs = this.#idleLimitMs(session.server);
        if (session.idleMs >= limitMs) this.#close(session, `idle for ${limitMs} ms`);
      }
      this.#sweepLater();
    });
  }

  #idleLimitMs(server: string): number {
    try {
      return this.#options.endpoints.sessionIdleMs(server);
    } catch {
      return 0; // the server is gone, and so are its sessions
    }
  }
}
