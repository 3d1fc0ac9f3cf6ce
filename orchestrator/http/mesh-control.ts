import type { NewRegistration, PlaceView, Registration, Tune } from '../kernel/index.ts';
import type { MeshCall, MeshCallAnswer } from '../session/index.ts';

export type RegistrationView = Omit<Registration, 'number'>;

/** What the mesh routes call beside the controls of servers. All reject with GantryError only. */
export type MeshControl = {
  /** @throws address_not_allowed, server_exists, queue_full, registry_unavailable */
  register(request: NewRegistration): Promise<'registered' | 'renewed'>;
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
  call(request: MeshCall): Promise<MeshCallAnswer>;
  /**
   * @param server null for all, and those that come later
   * @returns the servers that it holds for now
   * @throws server_not_found, registry_unavailable
   */
  tune(tune: Tune, server: string | null): Promise<readonly string[]>;
  /** Back to the configuration. Throws as `tune`. */
  untune(server: string | null): Promise<readonly string[]>;
};
