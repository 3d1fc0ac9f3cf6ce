import { type Clock, type Facts, GantryError, type JsonRpcOutcome } from '../kernel/index.ts';
import type { Router } from '../routing/index.ts';
import type { Backend } from './backend.ts';
import type { ClientMessage } from './client-message.ts';
import type { OutStream } from './out-stream.ts';
import { ownProcess } from './own-process.ts';
import { type Answer, type EncodeError, Session } from './session.ts';
import { sharedProcess } from './shared-process.ts';

/** A call that takes longer answers as a stream, so that proxies and clients see a living connection. */
const PATIENCE_MS = 5000;
const SWEEP_MS = 1000;
/** A session on a shared process costs little, but not nothing. */
const MAX_SESSIONS = 20_000;

/** Who sends a message, to which server, in which session. */
export type Sender = {
  readonly server: string;
  readonly principal: string;
  readonly sessionId: string | null;
};

export type Reply =
  /** A notification or a response was taken. */
  { readonly kind: 'accepted' } | ({ readonly sessionId: string | null } & Answer);

export type SessionsOptions = {
  readonly router: Router;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly encodeError: EncodeError;
};

/** All sessions of this process, by id. An id is never enough: it is bound to its server and its principal. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  #stopSweep: () => void = () => {};
  #closing = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#sweepLater();
  }

  /** How many sessions a server has. */
  count(server: string): number {
    let count = 0;
    for (const session of this.#sessions.values()) if (session.server === server) count++;
    return count;
  }

  /**
   * One message of a client.
   * @param gone aborts when the client's connection is gone; only an initialize is withdrawn by it, since a
   *   broken connection is not a cancellation in this era (MCP 2025-11-25, basic/transports).
   * @throws GantryError server_not_found, session_not_found, invalid_request, no_replica, queue_full, replica_failed, call_timeout
   */
  async take(sender: Sender, message: ClientMessage, gone: AbortSignal): Promise<Reply> {
    this.#options.router.spec(sender.server);
    if (message.kind === 'request' && message.method === 'initialize' && sender.sessionId === null) {
      return this.#begin(sender, message.params ?? {}, gone);
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

  /** The stream for messages that belong to no call. @throws session_not_found, invalid_state */
  listen(sender: Sender): OutStream {
    this.#options.router.spec(sender.server);
    return this.#find(sender).openStream();
  }

  /** DELETE. @throws session_not_found */
  end(sender: Sender): void {
    this.#options.router.spec(sender.server);
    this.#close(this.#find(sender), 'ended by the client');
  }

  /** New sessions are refused, the present ones go on. */
  drain(): void {
    this.#closing = true;
  }

  close(): void {
    this.#closing = true;
    this.#stopSweep();
    for (const session of [...this.#sessions.values()]) this.#close(session, 'the orchestrator is stopping');
  }

  async #begin(sender: Sender, params: Record<string, unknown>, gone: AbortSignal): Promise<Reply> {
    const { router, clock, facts, encodeError } = this.#options;
    const { server, principal } = sender;
    this.#refuseWhenFull(server);
    const spec = router.spec(server);
    const backend: Backend =
      spec.sharing === 'session'
        ? await ownProcess(router, spec, principal)
        : sharedProcess(router, spec, principal);
    // It listens before the handshake: servers log before they answer, and ask for roots right behind the answer.
    const session = new Session({
      server,
      principal,
      backend,
      clock,
      encodeError,
      onDropped: (why) => facts.state({ type: 'line.dropped', server, replica: 'session', why, count: 1 }),
    });
    const outcome = await initialized(backend, params, gone);
    if (!outcome.ok) return { kind: 'json', outcome, sessionId: null };
    if (this.#closing) session.end('the orchestrator is stopping');
    this.#refuseWhenFull(server);
    this.#sessions.set(session.id, session);
    facts.state({ type: 'session.opened', server });
    void session.over.then(() => this.#close(session, 'its process ended'));
    return { kind: 'json', outcome, sessionId: session.id };
  }

  #refuseWhenFull(server: string): void {
    if (this.#closing) {
      throw new GantryError('no_replica', 'The orchestrator is stopping and opens no new sessions.', {
        detail: { server, retryAfterMs: 5000 },
      });
    }
    if (this.#sessions.size >= MAX_SESSIONS) {
      throw new GantryError(
        'queue_full',
        `There are ${MAX_SESSIONS} sessions, as many as one process holds.`,
        {
          detail: { server, retryAfterMs: 5000 },
        },
      );
    }
  }

  #find({ server, principal, sessionId }: Sender): Session {
    if (sessionId === null) {
      throw new GantryError(
        'invalid_request',
        'The Mcp-Session-Id header is missing: send initialize first, then its session id with every message.',
      );
    }
    const session = this.#sessions.get(sessionId);
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
    if (!this.#sessions.delete(session.id)) return;
    this.#options.facts.state({ type: 'session.closed', server: session.server, why });
    session.end(why);
  }

  #sweepLater(): void {
    this.#stopSweep = this.#options.clock.after(SWEEP_MS, () => {
      for (const session of [...this.#sessions.values()]) {
        const limitMs = this.#idleLimitMs(session.server);
        if (session.idleMs >= limitMs) this.#close(session, `idle for ${limitMs} ms`);
      }
      this.#sweepLater();
    });
  }

  #idleLimitMs(server: string): number {
    try {
      return this.#options.router.spec(server).timeouts.sessionIdleMs;
    } catch {
      return 0; // the server is gone, and so are its sessions
    }
  }
}

/** The handshake, or an end of the process that was started for it. */
async function initialized(
  backend: Backend,
  params: Record<string, unknown>,
  gone: AbortSignal,
): Promise<JsonRpcOutcome> {
  try {
    const outcome = await backend.initialize(params, gone);
    if (!outcome.ok) backend.close('the handshake was refused');
    return outcome;
  } catch (error) {
    backend.close('the handshake failed');
    throw error;
  }
}
