import type {
  ClaimedTask,
  Clock,
  DeadLetter,
  Ending,
  EnqueueOutcome,
  NewTask,
  TaskClaim,
  TaskLimits,
  TaskRecord,
} from '../kernel/index.ts';
import { inTurn, type MemoryTask, memoryTask } from './memory-task.ts';
import type { TaskStore } from './task-store.ts';

/** The twin of `redis-task-store`: the same promises but one. All tasks and results end with the process. */
export class MemoryTaskStore implements TaskStore {
  readonly #limits: TaskLimits;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #tasks = new Map<string, MemoryTask>();
  readonly #keys = new Map<string, { readonly id: string; readonly digest: string }>();
  #places = 0;

  constructor({ limits, clock }: { readonly limits: TaskLimits; readonly clock: Pick<Clock, 'now'> }) {
    this.#limits = limits;
    this.#clock = clock;
  }

  async enqueue(tasks: readonly NewTask[]): Promise<EnqueueOutcome> {
    this.#forgetOld();
    const keys = new Map(this.#keys);
    const taken: NewTask[] = [];
    for (const task of tasks) {
      const { id, digest, idempotencyKey } = task;
      const known = idempotencyKey === null ? undefined : keys.get(idempotencyKey);
      if (known !== undefined && known.digest !== digest) return 'conflict';
      if (known === undefined) taken.push(task);
      if (known === undefined && idempotencyKey !== null) keys.set(idempotencyKey, { id, digest });
    }
    const usage = this.#count();
    const bytes = taken.reduce((sum, { json }) => sum + Buffer.byteLength(json), usage.bytes);
    const { maxTasks, maxBytes } = this.#limits;
    if (taken.length > 0 && (usage.open + taken.length > maxTasks || bytes > maxBytes)) return 'full';
    for (const [key, known] of keys) this.#keys.set(key, known);
    for (const task of taken) this.#tasks.set(task.id, memoryTask(task, this.#clock.now(), this.#places++));
    return tasks.map((task) => {
      const id = task.idempotencyKey === null ? task.id : (keys.get(task.idempotencyKey)?.id ?? task.id);
      const state = this.#tasks.get(id)?.state ?? 'done';
      return { id, state, existed: !taken.includes(task) };
    });
  }

  async claim(request: TaskClaim): Promise<readonly ClaimedTask[]> {
    const { topic, consumer, count, perLane, turn, abandonedAfterMs } = request;
    const now = this.#clock.now();
    const busy = new Map(request.busy);
    const claimed: ClaimedTask[] = [];
    const hand = (task: MemoryTask): void => {
      claimed.push({ ...task, interrupted: task.state === 'running', wasHeld: task.holder === consumer });
      task.holder = consumer;
      task.renewedAt = now;
    };
    const open = [...this.#tasks.values()].filter((task) => task.topic === topic);
    for (const task of open) {
      if (task.state === 'delayed' && task.readyAt <= now) this.#queue(task);
    }
    if (abandonedAfterMs !== null) {
      for (const task of open) {
        const isAbandoned = task.holder !== null && now - task.renewedAt >= abandonedAfterMs;
        if (isAbandoned && claimed.length < count) hand(task);
      }
    }
    for (const task of inTurn(open, turn)) {
      const has = busy.get(task.lane) ?? 0;
      if (claimed.length >= count || has >= perLane) continue;
      busy.set(task.lane, has + 1);
      hand(task);
    }
    return claimed;
  }

  async start(consumer: string, tasks: readonly { readonly id: string; readonly mayRunTwice: boolean }[]) {
    return tasks.map(({ id, mayRunTwice }) => {
      const task = this.#heldBy(consumer, id);
      if (task === null) return false;
      task.state = 'running';
      task.mayRunTwice = mayRunTwice;
      task.attempts += 1;
      return true;
    });
  }

  async settle(consumer: string, endings: readonly Ending[]): Promise<readonly boolean[]> {
    return endings.map((ending) => {
      const task = this.#heldBy(consumer, ending.id);
      if (task === null) return false;
      this.#end(task, ending);
      task.holder = null;
      return true;
    });
  }

  async renew(consumer: string, ids: readonly string[]): Promise<readonly boolean[]> {
    return ids.map((id) => {
      const task = this.#heldBy(consumer, id);
      if (task !== null) task.renewedAt = this.#clock.now();
      return task !== null;
    });
  }

  async task(id: string): Promise<TaskRecord | null> {
    this.#forgetOld();
    const task = this.#tasks.get(id);
    return task === undefined ? null : { ...task, outcome: task.outcome?.json ?? null };
  }

  async results(topic: string, count: number, principal: string | null) {
    this.#forgetOld();
    return this.#newest(topic, principal, (task) => (task.outcome === null ? null : task.outcome), count);
  }

  async dead(topic: string, count: number, principal: string | null): Promise<readonly DeadLetter[]> {
    const letterOf = (task: MemoryTask): DeadLetter | null =>
      task.reason === null ? null : { ...task, reason: task.reason, message: task.message ?? '' };
    return this.#newest(topic, principal, letterOf, count);
  }

  async replay(id: string): Promise<boolean> {
    const task = this.#tasks.get(id);
    if (task?.state !== 'dead') return false;
    const dueAt = this.#clock.now();
    this.#queue(Object.assign(task, { reason: null, message: null, attempts: 0, refusals: 0, dueAt }));
    return true;
  }

  async discard(id: string): Promise<boolean> {
    const task = this.#tasks.get(id);
    if (task?.state !== 'dead') return false;
    this.#forget(task);
    return true;
  }

  async usage() {
    return this.#count();
  }

  async close(): Promise<void> {}

  #queue(task: MemoryTask): void {
    task.state = 'queued';
    task.place = this.#places++;
  }

  #heldBy(consumer: string, id: string): MemoryTask | null {
    const task = this.#tasks.get(id);
    return task?.holder === consumer ? task : null;
  }

  #end(task: MemoryTask, ending: Ending): void {
    const now = this.#clock.now();
    task.place = this.#places++;
    switch (ending.kind) {
      case 'retry':
        task.refusals += ending.refused ? 1 : 0;
        return void Object.assign(task, {
          state: 'delayed',
          readyAt: now + ending.delayMs,
          message: ending.message,
        });
      case 'dead':
        return void Object.assign(task, {
          state: 'dead',
          reason: ending.reason,
          message: ending.message,
          diedAt: now,
        });
      case 'done':
      case 'failed':
        task.state = ending.kind;
        task.outcome = { id: `${now}-${task.place}`, json: ending.json };
        task.diedAt = now;
        return this.#trim(task.topic);
    }
  }

  #newest<T>(
    topic: string,
    principal: string | null,
    told: (task: MemoryTask) => T | null,
    count: number,
  ): T[] {
    return [...this.#tasks.values()]
      .filter((task) => task.topic === topic && (principal === null || task.principal === principal))
      .sort((a, b) => b.place - a.place)
      .flatMap((task) => told(task) ?? [])
      .slice(0, count);
  }

  #count() {
    const open = [...this.#tasks.values()].filter(({ outcome }) => outcome === null);
    const bytes = open.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
    return { open: open.length, dead: open.filter(({ state }) => state === 'dead').length, bytes };
  }

  #trim(topic: string): void {
    const finished = this.#newest(topic, null, (task) => (task.outcome === null ? null : task), Infinity);
    let bytes = 0;
    finished.forEach((task, index) => {
      bytes += Buffer.byteLength(task.outcome?.json ?? '');
      const isKept = index < this.#limits.resultsKept && (bytes <= this.#limits.resultBytes || index === 0);
      if (!isKept) this.#forget(task);
    });
  }

  #forgetOld(): void {
    const before = this.#clock.now() - this.#limits.keptMs;
    for (const task of this.#tasks.values())
      if (task.outcome !== null && task.diedAt <= before) this.#forget(task);
  }

  #forget(task: MemoryTask): void {
    this.#tasks.delete(task.id);
    if (task.idempotencyKey !== null) this.#keys.delete(task.idempotencyKey);
  }
}
