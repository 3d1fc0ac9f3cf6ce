import type { BalanceStrategy, JsonRpcOutcome, PlaceView } from '../kernel/index.ts';

/** One instance of a server elsewhere, as it registers itself. */
export type RegistrationRequest = {
  readonly id: string;
  readonly service: string;
  readonly url: string;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly ttlMs: number;
};

/** Milliseconds since the epoch. */
export type RegistrationView = RegistrationRequest & { readonly expiresAt: number };

export type MeshCallRequest = {
  readonly server: string;
  readonly principal: string;
  readonly method: string;
  readonly params: Record<string, unknown> | undefined;
  readonly timeoutMs: number;
  readonly attempts: number;
  readonly signal: AbortSignal;
};

/** What is set at run time on top of the configuration. */
export type MeshTune = {
  readonly strategy?: BalanceStrategy;
  readonly consecutiveFailures?: number;
  readonly ejectMs?: number;
};

/** What the mesh routes call beside the controls of servers. All reject with GantryError only. */
export type MeshControl = {
  /** @throws address_not_allowed, server_exists, registry_unavailable */
  register(request: RegistrationRequest): Promise<'registered' | 'renewed'>;
  /** @throws registration_not_found, registry_unavailable */
  renew(id: string): Promise<RegistrationView>;
  /** @throws registration_not_found, registry_unavailable */
  deregister(id: string): Promise<RegistrationView>;
  registrations(): readonly RegistrationView[];
  /** @throws server_not_found */
  places(server: string): readonly PlaceView[];
  /** Asks the replicas anew whether they live. @throws server_not_found */
  probe(server: string): Promise<void>;
  /** @throws server_not_found, tool_not_found, replica_failed, no_replica, queue_full, call_timeout */
  call(request: MeshCallRequest): Promise<{
    readonly outcome: JsonRpcOutcome;
    readonly replica: string | null;
  }>;
  /**
   * @param server null for all, and those that come later
   * @returns the servers that it holds for now
   * @throws server_not_found, registry_unavailable
   */
  tune(tune: MeshTune, server: string | null): Promise<readonly string[]>;
  /** Back to the configuration. Throws as `tune`. */
  untune(server: string | null): Promise<readonly string[]>;
};
