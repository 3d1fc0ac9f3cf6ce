import { isObject } from '../kernel/index.ts';

/**
 * What stands behind a session, for whoever takes it over: a process of its own, a share of others, or a share of others
 * that know no sessions.
 */
export type TakeoverKind = 'own' | 'shared' | 'translated';

/** What has to be known of a session to go on with it in another process. Its id is not: see `sessionKey`. */
export type SessionRecord = {
  readonly server: string;
  readonly principal: string;
  /** The revision that was agreed upon. */
  readonly version: string;
  readonly kind: TakeoverKind;
  /** The replica of its own. */
  readonly replica: string | null;
  /** The parameters of its initialize where they are needed again, else null. */
  readonly hello: Readonly<Record<string, unknown>> | null;
  /** Begins the ids of its streams. */
  readonly streams: string;
  /** Milliseconds since the epoch; brought up to date now and then. */
  readonly lastRequestAt: number;
};

/** Remembers sessions beyond this process, by key. `registry` has it, `main` hands it in. */
export type SessionBook = {
  /** @returns whether it is written; where it is not, it is going to be. Never rejects. */
  put(key: string, record: SessionRecord): Promise<boolean>;
  remove(key: string): void;
};

const KINDS: readonly unknown[] = ['own', 'shared', 'translated'] satisfies TakeoverKind[];

/** Null where another version wrote it, in a shape that is not known here. */
export function readRecord(value: unknown): SessionRecord | null {
  if (!isObject(value) || !KINDS.includes(value.kind)) return null;
  const { server, principal, version, replica, hello, streams, lastRequestAt } = value;
  const texts = [server, principal, version, streams];
  if (texts.some((text) => typeof text !== 'string') || typeof lastRequestAt !== 'number') return null;
  const hasReplica = value.kind === 'own' ? typeof replica === 'string' : replica === null;
  const hasHello = value.kind === 'translated' ? isObject(hello) : hello === null;
  return hasReplica && hasHello ? (value as SessionRecord) : null;
}
