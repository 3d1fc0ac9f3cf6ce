import type { Clock, ServerSpec } from '../kernel/index.ts';
import { defaultScalingPolicy, judgeLoad, noScaling, type ScalingHistory } from '../resilience/index.ts';

export type ScalerOptions = {
  readonly spec: () => ServerSpec;
  /** Calls in flight on the standing replicas, and those that wait for one. */
  readonly load: () => number;
  /** How many replicas are desired at present. */
  readonly desired: () => number;
  readonly scale: (replicas: number, why: 'load' | 'quiet') => void;
  readonly clock: Clock;
};

/** Keeps the number of a pool's standing replicas to its load, between min and max. Only where the two differ. */
export class Scaler {
  readonly #options: ScalerOptions;
  #history: ScalingHistory = noScaling;
  #cancelTimer = (): void => {};
  #isPinned = false;

  constructor(options: ScalerOptions) {
    this.#options = options;
    this.arm();
  }

  /** A user has set the number: it stays, until the configuration changes. */
  pin(): void {
    this.#isPinned = true;
    this.arm();
  }

  unpin(): void {
    this.#isPinned = false;
    this.#history = noScaling;
    this.arm();
  }

  arm(): void {
    this.#cancelTimer();
    const { spec, clock } = this.#options;
    const { replicas: min, scaling } = spec();
    if (this.#isPinned || scaling.max <= min) return;
    this.#cancelTimer = clock.after(defaultScalingPolicy.everyMs, () => this.#look());
  }

  close(): void {
    this.#cancelTimer();
  }

  #look(): void {
    const { spec, load, desired, scale, clock } = this.#options;
    const { replicas: min, scaling } = spec();
    const current = desired();
    const { history, replicas } = judgeLoad(this.#history, {
      nowMs: clock.now(),
      current,
      min,
      max: scaling.max,
      load: load(),
      target: targetOf(spec()),
      scaleDownAfterMs: scaling.scaleDownAfterMs,
    });
    this.#history = history;
    if (replicas !== current) scale(replicas, replicas > current ? 'load' : 'quiet');
    this.arm();
  }
}

/** As configured, or less where a replica takes no more: room has to be there before it is full. */
function targetOf({ scaling, balance }: ServerSpec): number {
  const { maxInFlight } = balance;
  return maxInFlight === null
    ? scaling.targetInFlight
    : Math.min(scaling.targetInFlight, maxInFlight * defaultScalingPolicy.utilization);
}
