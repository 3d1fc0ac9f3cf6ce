import type { ExecutionContext } from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { EventBudget } from '../../orchestrator/session/event-budget.ts';
import {
  type EventLog,
  MemoryEventLog,
  type OutEvent,
  type OutStream,
} from '../../orchestrator/session/index.ts';
import { Streams } from '../../orchestrator/session/streams.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

type Options = {
  readonly version?: string;
  readonly pollAfterMs?: number;
  readonly log?: EventLog;
};

export function setUp({ version = '2025-06-18', pollAfterMs, log }: Options = {}) {
  const clock = new FakeClock();
  const dropped: string[] = [];
  const budget = new EventBudget(log ?? new MemoryEventLog({ clock }));
  const options = { clock, pollAfterMs: pollAfterMs ?? null, log: budget };
  const make = (): Streams => {
    const streams = new Streams({ ...options, onDropped: (why) => dropped.push(why) });
    streams.agreed(version);
    return streams;
  };
  return { clock, dropped, streams: make(), make };
}

/** Reads exactly so many events, then leaves, as a client whose connection breaks. */
export async function take(stream: OutStream<OutEvent> | null, count: number): Promise<OutEvent[]> {
  const events: OutEvent[] = [];
  if (stream === null || count === 0) return events;
  for await (const event of stream) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

export async function rest(stream: OutStream<OutEvent> | null): Promise<string[]> {
  return (await take(stream, Number.POSITIVE_INFINITY)).map(({ data }) => data).filter((data) => data !== '');
}

export function idOf(event: OutEvent | undefined): string {
  return event?.id ?? '';
}

export async function refused(t: ExecutionContext, promise: Promise<unknown>): Promise<string> {
  const error = (await t.throwsAsync(promise, { instanceOf: GantryError })) as GantryError;
  t.is(error.code, 'invalid_request');
  return error.message;
}
