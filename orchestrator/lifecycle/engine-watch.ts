import type { Engine } from '../engine/index.ts';
import { type Clock, type Facts, messageOf } from '../kernel/index.ts';
import { isEngineDown } from './start-failure.ts';

/** What those who need the engine know of it. */
export type EngineUp = Pick<EngineWatch, 'up' | 'report'>;

const PING_EVERY_MS = 2000;

/**
 * Knows whether the engine answers. Starts out not knowing, which counts as down; `prepare` runs each time it
 * has come up, before anybody who waits goes on.
 */
export class EngineWatch {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #facts: Facts;
  readonly #prepare: () => Promise<void>;
  #up = Promise.withResolvers<void>();
  #isUp = false;
  #probing = false;
  #closed = false;
  #cancelTimer: () => void = () => {};

  constructor(options: { engine: Engine; clock: Clock; facts: Facts; prepare: () => Promise<void> }) {
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#facts = options.facts;
    this.#prepare = options.prepare;
  }

  /** Settles as soon as the engine answers; at once when it does. */
  get up(): Promise<void> {
    return this.#up.promise;
  }

  /** Begins to ask; safe to call again. */
  probe(): void {
    if (this.#probing || this.#closed || this.#isUp) return;
    this.#probing = true;
    void this.#ask();
  }

  /** Somebody's request failed: if the engine is the cause, everybody should know. */
  report(error: unknown): void {
    if (!isEngineDown(error) || !this.#isUp) return;
    this.#isUp = false;
    this.#up = Promise.withResolvers<void>();
    this.#facts.state({ type: 'engine.state', state: 'down', message: messageOf(error) });
    this.probe();
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
  }

  async #ask(): Promise<void> {
    try {
      await this.#engine.ping();
      await this.#prepare();
    } catch (error) {
      if (this.#closed) return;
      if (!isEngineDown(error)) {
        this.#facts.state({ type: 'trouble', where: 'engine start', message: messageOf(error) });
      }
      this.#cancelTimer = this.#clock.after(PING_EVERY_MS, () => void this.#ask());
      return;
    }
    this.#probing = false;
    this.#isUp = true;
    this.#facts.state({ type: 'engine.state', state: 'up', message: 'The engine answers.' });
    this.#up.resolve();
  }
}
