import type { ReplicaBook } from './replica-record.ts';

/** Where it is written down how far a process was heard, together with what that led to. `session` has it, in its log. */
export type HeardLog = {
  note(key: string, value: unknown): void;
  accompany(add: () => void): () => void;
  readonly unwritten: Promise<void> | null;
};

/** What an earlier start of the orchestrator left, and what this one leaves. */
export type TakeoverOptions = {
  readonly book: ReplicaBook;
  /** As `book` had them, by container. */
  readonly left: ReadonlyMap<string, unknown>;
  readonly log: HeardLog;
  /** The notes of that log. */
  readonly notes: ReadonlyMap<string, unknown>;
  /** 32 bytes that outlive this process and stand nowhere else: what containers are made of is sealed with them. */
  readonly key: Buffer;
};

const HEARD = 'heard/';

/** The note of how far the process of a container was heard. */
export function heardKey(containerId: string): string {
  return HEARD + containerId;
}

/** The container that a note is about; null where it says something else. */
export function heardContainer(key: string): string | null {
  return key.startsWith(HEARD) ? key.slice(HEARD.length) : null;
}
