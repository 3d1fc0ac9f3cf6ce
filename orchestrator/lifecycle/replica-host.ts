import type { Engine, ImageStore } from '../engine/index.ts';

/** Who runs the replicas of a pool: the engine, or for servers elsewhere their connections (`remote/`). */
export type ReplicaHost = Pick<Engine, 'inspect' | 'stop' | 'kill' | 'pause' | 'resume' | 'remove'> & {
  readonly images: Pick<ImageStore, 'inspect'>;
};
