import type { EraVerdict, ServerSpec, ToolView } from '../kernel/index.ts';
import type { Handshake, Replica } from '../replica/index.ts';

/** As the replicas said when they were last awake. */
export type Asleep = { readonly handshake: Handshake | null; readonly tools: readonly ToolView[] };

/** The parameters of an initialize. */
export type Hello = Readonly<Record<string, unknown>>;

/**
 * What routing needs from whoever owns the replicas. `lifecycle` has it, `main` hands it in: routing chooses
 * among replicas and never starts a container itself.
 */
export type Pools = {
  /** Null when there is no server of that name. */
  spec(server: string): ServerSpec | null;
  /** The standing replicas, in whatever state. */
  standing(server: string): readonly Replica[];
  /** The tools that the server listed last, with their annotations; none while they are not known. */
  tools(server: string): readonly ToolView[];
  /**
   * Which eras a server speaks; asked of processes made for the question where nobody knows yet.
   * @throws GantryError no_replica, replica_failed where it cannot be found out
   */
  era(server: string): Promise<EraVerdict>;
  /** Only whether it knows the handshake, which is often known sooner. @throws GantryError no_replica */
  speaksLegacy(server: string): Promise<boolean>;
  /**
   * A container for one session, started or taken from the spares. The process runs and its channel is open; the
   * session's own initialize completes the handshake.
   * @param hello the parameters of that initialize, so that one can be found that was greeted with them already; null
   *   or absent where something else will be said first
   * @throws GantryError no_replica over `maxSessions` or when the server is stopped or cannot start
   *   (`detail.retryAfterMs`), replica_failed
   */
  openForSession(server: string, principal: string, hello?: Hello | null): Promise<Replica>;
  /**
   * The ready replica that serves a principal's calls outside sessions, under sharing session and principal.
   * @throws GantryError no_replica, replica_failed
   */
  heldFor(server: string, principal: string): Promise<Replica>;
  /** What is known of a server whose standing replicas were put to rest; null while they are awake. */
  asleep(server: string): Asleep | null;
  /**
   * A call is about to come. Null while the standing replicas are awake; else it settles when one of them takes calls,
   * or none will by itself.
   */
  wake(server: string): Promise<void> | null;
  /** A session is over: its replica is stopped and removed. Resolves when the container is gone. */
  release(replica: Replica, why: string): Promise<void>;
};
