import type { EraVerdict, ServerSpec } from '../kernel/index.ts';
import type { Replica } from '../replica/index.ts';
import type { ServerPool } from './server-pool.ts';
import type { Servers } from './servers.ts';
import type { Hello } from './session-replicas.ts';
import type { Takeover } from './takeover.ts';

export type PoolsParts = { readonly servers: Servers; readonly takeover: Takeover };

/** The mesh as routing sees it: satisfies what that needs of pools. */
export abstract class MeshPools {
  protected abstract get parts(): PoolsParts;

  spec(server: string): ServerSpec | null {
    return this.parts.servers.find(server)?.current.spec ?? null;
  }

  standing(server: string): readonly Replica[] {
    return this.parts.servers.find(server)?.current.standing ?? [];
  }

  /** @throws GantryError server_not_found, no_replica, replica_failed, engine_unavailable */
  async openForSession(server: string, principal: string, hello: Hello | null = null): Promise<Replica> {
    return await this.parts.servers.started(server).openForSession(principal, hello);
  }

  /** @throws GantryError server_not_found, no_replica, replica_failed, engine_unavailable */
  async heldFor(server: string, principal: string): Promise<Replica> {
    return await this.parts.servers.started(server).heldFor(principal);
  }

  /** Throws as `heldFor`. */
  async era(server: string): Promise<EraVerdict> {
    return await this.parts.servers.started(server).current.eras.find();
  }

  /** Throws as `heldFor`. */
  async speaksLegacy(server: string): Promise<boolean> {
    return await this.parts.servers.started(server).current.eras.speaksLegacy();
  }

  asleep(server: string): ServerPool['asleep'] {
    return this.parts.servers.find(server)?.current.asleep ?? null;
  }

  wake(server: string): Promise<void> | null {
    return this.parts.servers.find(server)?.current.wake() ?? null;
  }

  adopted(server: string, replicaId: string): Promise<Replica | null> {
    return this.parts.takeover.adopted(server, replicaId);
  }

  async keep(replica: Replica): Promise<void> {
    await this.parts.servers.find(replica.identity.server)?.ownerOf(replica)?.lasting.keep(replica);
  }

  async release(replica: Replica, why: string): Promise<void> {
    await this.parts.servers.find(replica.identity.server)?.ownerOf(replica)?.release(replica, why);
  }
}
