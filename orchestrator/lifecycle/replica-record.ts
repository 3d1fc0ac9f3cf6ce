import { isObject } from '../kernel/index.ts';
import type { Handshake } from '../replica/index.ts';

/** What has to be known of a replica, beside what its container's labels say, to go on with it in another process. */
export type ReplicaRecord = {
  readonly server: string;
  readonly id: string;
  readonly generation: number;
  readonly heldBy: 'pool' | 'session';
  /** Whose it is for good, under sharing `session` and `principal`; null for a session's, and where it is shared. */
  readonly claimedBy: string | null;
  /** What its container is made of (`sealOf`). */
  readonly seal: string;
  /** Of the pool that it stands in. */
  readonly revision: number;
  readonly restarts: number;
  readonly startedAt: string;
  readonly handshake: Handshake;
  /** How often it was taken over; each time its link uses ids of its own. */
  readonly takeovers: number;
};

/** Remembers replicas beyond this process, by container. `registry` has it, `main` hands it in. */
export type ReplicaBook = {
  /** @returns whether it is written; where it is not, it is going to be. Never rejects. */
  put(containerId: string, record: ReplicaRecord): Promise<boolean>;
  remove(containerId: string): void;
};

/** Null where another version wrote it, in a shape that is not known here. */
export function readReplicaRecord(value: unknown): ReplicaRecord | null {
  if (!isObject(value)) return null;
  const texts = [value.server, value.id, value.seal, value.startedAt];
  const counts = [value.generation, value.revision, value.restarts, value.takeovers];
  const isWhole =
    texts.every((text) => typeof text === 'string') &&
    counts.every((count) => Number.isSafeInteger(count)) &&
    (value.heldBy === 'pool' || value.heldBy === 'session') &&
    (value.claimedBy === null || typeof value.claimedBy === 'string') &&
    isHandshake(value.handshake);
  return isWhole ? (value as ReplicaRecord) : null;
}

function isHandshake(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { era, protocolVersion, capabilities, serverInfo, instructions } = value;
  return (
    (era === 'legacy' || era === 'modern') &&
    typeof protocolVersion === 'string' &&
    isObject(capabilities) &&
    isObject(serverInfo) &&
    (instructions === null || typeof instructions === 'string')
  );
}
