import type { ContainerFacts, Engine } from '../engine/index.ts';
import { type Clock, type Facts, type Reason, reason, type ServerSpec } from '../kernel/index.ts';
import { probeNeed } from '../resilience/index.ts';
import { inBackground } from './background.ts';
import type { Running } from './running.ts';
import { settledWithin } from './waits.ts';

/** How soon a check that is switched off looks whether it is on again. */
const OFF_MS = 10_000;

export type HealthCheckOptions = {
  readonly running: Running;
  /** Asked each time: the numbers may change while it runs. */
  readonly spec: () => ServerSpec;
  readonly clock: Clock;
  /** 0 up to 1: replicas that started together are not asked together. */
  readonly random: () => number;
  readonly facts: Facts;
  /** Asked whether the container really runs before it is given up. */
  readonly engine: Pick<Engine, 'inspect'>;
  /** Nothing is heard from it. @returns false where it is kept all the same: it is asked on. */
  readonly onUnresponsive: (why: Reason) => boolean;
};

/**
 * Finds a process that is there and does nothing: paused from outside, stopped by a signal, or stuck in a loop, its
 * socket open all the while. It is asked only when it has been silent and no call explains that
 * (`resilience/health-policy.ts`). A replica that was paused over the API is left alone, and so is everything while
 * the engine itself does not answer: then the silence is the engine's.
 */
export class HealthCheck {
  readonly #options: HealthCheckOptions;
  #cancelTimer: () => void = () => {};
  #closed = false;
  #unanswered = 0;
  #isUnresponsive = false;

  constructor(options: HealthCheckOptions) {
    this.#options = options;
    const { intervalMs } = options.spec().health;
    this.#lookIn((intervalMs || OFF_MS) * (0.5 + options.random() / 2));
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
  }

  #lookIn(delayMs: number): void {
    if (this.#closed) return;
    const { clock, facts, running } = this.#options;
    this.#cancelTimer = clock.after(Math.max(1, delayMs), () =>
      inBackground(facts, `health of ${running.replica.identity.id}`, this.#look()),
    );
  }

  async #look(): Promise<void> {
    const { running, spec, clock } = this.#options;
    const { health, timeouts } = spec();
    const { replica } = running;
    const now = clock.now();
    if (health.intervalMs === 0) return this.#lookIn(OFF_MS);
    // Only what serves is asked: paused is intent, draining and starting have deadlines of their own.
    if (replica.state.name !== 'ready') return this.#isFine(health.intervalMs);
    switch (probeNeed(replica.silence, now, health, timeouts.callTimeoutMs)) {
      case 'heard':
        return this.#isFine(replica.silence.heardAtMs + health.intervalMs - now);
      case 'busy':
        return this.#lookIn(health.intervalMs);
      case 'probe':
        await this.#probe(now);
    }
  }

  async #probe(startedAt: number): Promise<void> {
    const { running, spec, clock } = this.#options;
    const { intervalMs, timeoutMs, fall } = spec().health;
    const answer = await running.replica.probe(timeoutMs);
    const restMs = startedAt + intervalMs - clock.now();
    if (this.#closed || answer === 'over') return;
    if (answer === 'answered') return this.#isFine(intervalMs);
    this.#unanswered++;
    if (this.#unanswered >= fall && (await this.#isFrozen(startedAt, timeoutMs))) return this.close();
    this.#lookIn(restMs);
  }

  /** @returns whether it is taken out. */
  async #isFrozen(askedAt: number, timeoutMs: number): Promise<boolean> {
    const { running, onUnresponsive } = this.#options;
    const { replica } = running;
    const isElsewhere = replica.channel.kind === 'http';
    const state = await this.#containerState(timeoutMs);
    const isSilent = replica.state.name === 'ready' && replica.silence.heardAtMs < askedAt;
    if (this.#closed || !isSilent || (state !== 'running' && state !== 'paused')) return false;
    this.#tell('unresponsive');
    const stuck = isElsewhere
      ? 'The server elsewhere is gone, or stuck.'
      : 'It is stopped, or stuck in a loop.';
    const cause = state === 'paused' ? 'Its container was paused from outside of Gantry.' : stuck;
    const text = `The process said nothing and answered ${this.#unanswered} probes in a row with silence, with no call to explain it. ${cause}`;
    return onUnresponsive(reason('unresponsive', text, { stderr: running.stderr }));
  }

  /** Null where the engine does not say. */
  async #containerState(deadlineMs: number): Promise<ContainerFacts['state'] | null> {
    const { engine, clock, running } = this.#options;
    const asked = engine.inspect(running.containerId).catch(() => null);
    return (await settledWithin(clock, deadlineMs, asked)) ? ((await asked)?.state ?? null) : null;
  }

  #isFine(nextLookMs: number): void {
    this.#unanswered = 0;
    this.#tell('healthy');
    this.#lookIn(nextLookMs);
  }

  #tell(health: 'healthy' | 'unresponsive'): void {
    if (this.#isUnresponsive === (health === 'unresponsive')) return;
    this.#isUnresponsive = !this.#isUnresponsive;
    const { server, id } = this.#options.running.replica.identity;
    this.#options.facts.state({ type: 'replica.health', server, replica: id, health });
  }
}
