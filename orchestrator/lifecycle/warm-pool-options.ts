import type { Clock, Facts, ServerSpec } from '../kernel/index.ts';
import type { EngineUp } from './engine-watch.ts';
import type { Gate } from './gate.ts';
import type { ImageMemo } from './image-memo.ts';
import type { Starts } from './starter.ts';

export type WarmPoolOptions = {
  readonly spec: () => ServerSpec;
  readonly image: ImageMemo;
  readonly starter: Starts;
  readonly gate: Gate;
  readonly engineWatch: EngineUp;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly random: () => number;
  /** False while the server is stopped. */
  readonly accepting: () => boolean;
  readonly onChange: () => void;
};
