import type { JsonRpcId } from '../kernel/index.ts';
import { type OpenCallNote, readNote } from './open-work.ts';
import { readRecord, type SessionRecord } from './session-book.ts';
import { listeningStream, type RestoredStreams } from './streams.ts';

/** What an earlier start of the orchestrator left: sessions by key, and what was under way in them (`EventLog.notes`). */
export type Left = {
  readonly sessions: ReadonlyMap<string, unknown>;
  readonly notes: ReadonlyMap<string, unknown>;
};

export type LeftSession = {
  readonly key: string;
  readonly record: SessionRecord;
  readonly calls: readonly OpenCallNote[];
  readonly questions: readonly JsonRpcId[];
};

/** The sessions that can be read, each with what was under way in it. */
export function readLeft({ sessions, notes }: Left): readonly LeftSession[] {
  const read = [...notes.values()].map(readNote).filter((note) => note !== null);
  const bySession = Map.groupBy(read, ({ session }) => session);
  return [...sessions].flatMap(([key, value]) => {
    const record = readRecord(value);
    if (record === null) return [];
    const open = bySession.get(key) ?? [];
    const calls = open.filter((note) => note.kind === 'call');
    const questions = open.filter((note) => note.kind === 'question').map(({ id }) => id);
    return [{ key, record, calls, questions }];
  });
}

/** The streams of which more may be said. A share of others says nothing beside calls. */
function openStreams({ record, calls }: LeftSession): readonly string[] {
  const ofCalls = calls.map(({ stream }) => stream);
  return record.kind === 'shared' ? ofCalls : [listeningStream(record.streams), ...ofCalls];
}

/**
 * Where their streams went on to, asked for all of them at once.
 * @param lastOf `EventLog.lastOf`
 */
export async function leftStreams(
  left: readonly LeftSession[],
  lastOf: (streams: readonly string[]) => Promise<readonly number[]>,
): Promise<ReadonlyMap<LeftSession, RestoredStreams>> {
  const streams = left.map((session) => openStreams(session));
  const seqs = (await lastOf(streams.flat())).values();
  return new Map(
    left.map((session, index) => {
      const lastSeqs = new Map((streams[index] ?? []).map((stream) => [stream, seqs.next().value ?? 0]));
      return [session, { name: session.record.streams, lastSeqs }];
    }),
  );
}
