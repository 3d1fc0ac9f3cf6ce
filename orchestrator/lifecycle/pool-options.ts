import type { Engine } from '../engine/index.ts';
import type { Clock, Facts, ServerSpec } from '../kernel/index.ts';
import type { EngineWatch } from './engine-watch.ts';
import type { EraMemory } from './eras/era-memory.ts';
import type { Gate } from './gate.ts';
import type { PreparedImage } from './images/prepared-image.ts';
import type { MeshMemory } from './mesh-memory.ts';
import type { Starter } from './starter.ts';

export type PoolOptions = {
  readonly spec: ServerSpec;
  readonly prepareImage: (spec: ServerSpec) => Promise<PreparedImage>;
  readonly engine: Engine;
  readonly eraMemory: EraMemory;
  readonly starter: Starter;
  readonly standingGate: Gate;
  readonly sessionGate: Gate;
  readonly engineWatch: EngineWatch;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly random: () => number;
  readonly urlOf: (spec: ServerSpec) => string;
  readonly memory: MeshMemory;
};
