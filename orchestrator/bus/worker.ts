import {
  type ClaimedTask,
  type Clock,
  type Ending,
  type Facts,
  MESH_TOPIC,
  messageOf,
} from '../kernel/index.ts';
import { attemptTask, type Execute } from './attempt.ts';
import { backoffMs } from './backoff.ts';
import { Batch } from './batch.ts';
import { Lanes } from './lanes.ts';
import type { TaskStore } from './task-store.ts';

export type WorkerOptions = {
  readonly store: TaskStore;
  readonly execute: Execute;
  /** Whether the tool says of itself that it may run twice. */
  readonly mayRunTwice: (server: string, tool: string) => boolean;
  /** This start of this orchestrator: no other may have the name. */
  readonly consumer: string;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly random: () => number;
};

/** Tasks in hand. More than one server can work on, so that several can be busy at once; a slot is only a promise. */
const IN_HAND = 256;
/** Of them for one server, so that a slow one does not hold up the others. */
const PER_SERVER = 64;
/** How often to look for what nobody told us: tasks that became due, or that another orchestrator took. */
const LOOK_EVERY_MS = 200;
/** Tasks of a consumer that has not said for so long that it is at work are taken over. */
export const ABANDONED_AFTER_MS = 10_000;
const RENEW_EVERY_MS = 2500;
const TAKE_OVER_EVERY_MS = 1000;
const MOST_IN_A_SCRIPT = 200;
/** Between tries to store a result: a Redis that was restarted is back within a second or two. */
const LONGEST_WAIT_MS = 2000;

/** Executes the tasks of the mesh's own topic. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #inHand = new Map<string, ClaimedTask>();
  readonly #lanes: Lanes;
  readonly #handled = new Set<Promise<void>>();
  readonly #starts: Batch<{ readonly id: string; readonly mayRunTwice: boolean }, boolean>;
  readonly #endings: Batch<Ending, boolean>;
  readonly #aborted = new AbortController();
  readonly #loop: Promise<void>;
  #closed = false;
  #wake: () => void = () => {};
  #isAwake = false;
  #turn = 0;
  #tookOverAt = 0;
  #isFailing = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { store, consumer, clock, random } = options;
    this.#lanes = new Lanes(PER_SERVER, clock, random);
    this.#starts = new Batch(MOST_IN_A_SCRIPT, (tasks) => store.start(consumer, tasks));
    this.#endings = new Batch(MOST_IN_A_SCRIPT, (endings) => store.settle(consumer, endings), bytesOf);
    this.#loop = this.#run();
    this.#renewLater();
  }

  /** There is something to do. */
  wake(): void {
    this.#isAwake = true;
    this.#wake();
  }

  /** Takes nothing more and waits for what is in hand; what is not over after `drainMs` is broken off. */
  async close(drainMs: number): Promise<void> {
    this.#closed = true;
    this.wake();
    await this.#loop;
    const abort = (): void => this.#aborted.abort();
    if (drainMs === 0) abort();
    const cancel = this.#options.clock.after(drainMs, abort);
    await Promise.all(this.#handled);
    cancel();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#closed) {
      this.#isAwake = false;
      const claimed = await this.#claim();
      for (const task of claimed ?? []) this.#take(task);
      if (claimed !== null && claimed.length > 0 && this.#inHand.size < IN_HAND) continue;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(LOOK_EVERY_MS, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
        if (this.#isAwake) this.#wake();
      });
    }
  }

  /** Null where the store does not answer. */
  async #claim(): Promise<readonly ClaimedTask[] | null> {
    const { store, clock, consumer } = this.#options;
    const count = IN_HAND - this.#inHand.size;
    if (count <= 0) return [];
    const now = clock.now();
    const takesOver = now - this.#tookOverAt >= TAKE_OVER_EVERY_MS;
    const busy = this.#lanes.busy(this.#inHand.values());
    try {
      const claimed = await store.claim({
        ...{ topic: MESH_TOPIC, consumer, count, perLane: PER_SERVER, busy, turn: this.#turn++ },
        abandonedAfterMs: takesOver ? ABANDONED_AFTER_MS : null,
      });
      if (takesOver) this.#tookOverAt = now;
      this.#works();
      // One that is not held is in hand for a moment longer than it was ours: it comes back from its last attempt.
      return claimed.filter(({ id, wasHeld }) => !(wasHeld && this.#inHand.has(id)));
    } catch (error) {
      this.#fails(error);
      // The other consumers could not say that they are at work either: once it answers they get the time to.
      this.#tookOverAt = clock.now() + ABANDONED_AFTER_MS;
      return null;
    }
  }

  #take(task: ClaimedTask): void {
    this.#inHand.set(task.id, task);
    const handled = this.#handle(task)
      .catch((error) => this.#fails(error))
      .finally(() => {
        if (this.#inHand.get(task.id) === task) this.#inHand.delete(task.id);
        this.#handled.delete(handled);
        this.wake();
      });
    this.#handled.add(handled);
  }

  async #handle(task: ClaimedTask): Promise<void> {
    if (task.interrupted) this.#options.facts.state({ type: 'task.taken_over', topic: task.topic });
    const ending = await attemptTask(task, {
      ...this.#options,
      signal: this.#aborted.signal,
      start: (mayRunTwice) => this.#starts.add({ id: task.id, mayRunTwice }),
    });
    if (ending === null) return;
    if (ending.kind === 'retry' && ending.refused) this.#lanes.refused(task.lane);
    else this.#lanes.served(task.lane);
    await this.#settle(task, ending);
  }

  /** Until it is stored: a result that is known must not be lost to a Redis that is away for a moment. */
  async #settle(task: ClaimedTask, ending: Ending): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        const isOurs = await this.#endings.add(ending);
        this.#works();
        // A reply that was lost, or a task that was taken over: either way somebody else has told.
        if (isOurs) this.#tell(task, ending);
        return;
      } catch (error) {
        this.#fails(error);
        // At its end the process leaves it to the next one, which judges it by whether it was started.
        if (this.#aborted.signal.aborted) return;
        const pause = Math.min(backoffMs(tries, this.#options.random), LONGEST_WAIT_MS);
        await new Promise<void>((resolve) => void this.#options.clock.after(pause, resolve));
      }
    }
  }

  #tell(task: ClaimedTask, ending: Ending): void {
    const { facts, clock } = this.#options;
    const { topic } = task;
    if (ending.kind === 'retry') {
      const why = ending.refused ? 'refused' : 'failed';
      return facts.state({ type: 'task.retried', topic, why, delayMs: ending.delayMs });
    }
    const outcome = ending.kind === 'dead' ? ending.reason : ending.kind;
    facts.state({ type: 'task.ended', topic, task: task.id, outcome, durationMs: clock.now() - task.dueAt });
  }

  #renewLater(): void {
    this.#options.clock.after(RENEW_EVERY_MS, async () => {
      if (this.#aborted.signal.aborted || (this.#closed && this.#inHand.size === 0)) return;
      const ids = [...this.#inHand.keys()];
      // A failure is told by the other commands; the next renewal is soon enough.
      if (ids.length > 0) await this.#options.store.renew(this.#options.consumer, ids).catch(() => {});
      this.#renewLater();
    });
  }

  #works(): void {
    this.#isFailing = false;
  }

  #fails(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const message = `Tasks wait until Redis answers: ${messageOf(error)}`;
    this.#options.facts.state({ type: 'trouble', where: 'tasks', message });
  }
}

function bytesOf(ending: Ending): number {
  return 'json' in ending ? ending.json.length : ending.message.length;
}
