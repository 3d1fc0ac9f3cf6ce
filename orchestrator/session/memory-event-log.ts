import type { Clock } from '../kernel/index.ts';
import { EVENTS_KEPT_MS, type EventLog, type NumberedMessage } from './event-log.ts';

type Kept = { entries: NumberedMessage[]; touchedAt: number };

/** The twin of the log in Redis: for tests, and where no Redis is configured. */
export class MemoryEventLog implements EventLog {
  readonly #clock: Pick<Clock, 'now'>;
  /** The longest untouched stream comes first. */
  readonly #streams = new Map<string, Kept>();
  readonly #notes = new Map<string, string>();
  readonly unwritten = null;

  constructor(options: { clock: Pick<Clock, 'now'> }) {
    this.#clock = options.clock;
  }

  append(stream: string, entry: NumberedMessage): void {
    this.#forgetOld();
    const kept = this.#streams.get(stream) ?? { entries: [], touchedAt: 0 };
    kept.entries.push(entry);
    kept.touchedAt = this.#clock.now();
    this.#streams.delete(stream);
    this.#streams.set(stream, kept);
  }

  async since(stream: string, after: number): Promise<readonly NumberedMessage[]> {
    this.#forgetOld();
    return (this.#streams.get(stream)?.entries ?? []).filter(({ seq }) => seq > after);
  }

  drop(stream: string, below = Number.POSITIVE_INFINITY): void {
    const kept = this.#streams.get(stream);
    if (kept === undefined) return;
    const first = kept.entries.findIndex(({ seq }) => seq >= below);
    if (first < 0) this.#streams.delete(stream);
    else kept.entries.splice(0, first);
  }

  /** Here writes leave in no turn of their own, and nothing outlives the process that would have to agree. */
  accompany(): () => void {
    return () => {};
  }

  async lastOf(streams: readonly string[]): Promise<readonly number[]> {
    this.#forgetOld();
    return streams.map((stream) => this.#streams.get(stream)?.entries.at(-1)?.seq ?? 0);
  }

  note(key: string, value: unknown): void {
    if (value === null) this.#notes.delete(key);
    else this.#notes.set(key, JSON.stringify(value));
  }

  async notes(): Promise<ReadonlyMap<string, unknown>> {
    return new Map([...this.#notes].map(([key, text]) => [key, JSON.parse(text) as unknown]));
  }

  #forgetOld(): void {
    const oldest = this.#clock.now() - EVENTS_KEPT_MS;
    for (const [stream, { touchedAt }] of this.#streams) {
      if (touchedAt > oldest) return;
      this.#streams.delete(stream);
    }
  }
}
