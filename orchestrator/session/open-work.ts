import { isObject, type JsonRpcId } from '../kernel/index.ts';
import type { SentCall } from '../routing/index.ts';
import type { EventLog } from './event-log.ts';

/** A request whose answer belongs on a stream that its client can come back to. */
export type OpenCallNote = {
  readonly kind: 'call';
  readonly session: string;
  readonly stream: string;
  readonly id: JsonRpcId;
  readonly method: string;
  /** The client's progress token; absent where there was none. */
  readonly token?: unknown;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Where it went; null where the process ends with the orchestrator. */
  readonly sent: SentCall | null;
};

/** A question of the server that its client has not answered. */
export type QuestionNote = { readonly kind: 'question'; readonly session: string; readonly id: JsonRpcId };

export type OpenNote = OpenCallNote | QuestionNote;

/**
 * What is under way in one session, written down for the next start of the orchestrator. Only what a client could come
 * back for: a call that is answered as plain JSON ends with its connection.
 */
export class OpenWork {
  /** The session, as it is known where things are stored. */
  readonly session: string;
  readonly #log: Pick<EventLog, 'note'> | null;

  /** @param log null where nobody takes over */
  constructor(session: string, log: Pick<EventLog, 'note'> | null) {
    this.session = session;
    this.#log = log;
  }

  call(note: Omit<OpenCallNote, 'kind' | 'session'>): void {
    const { session } = this;
    this.#log?.note(callKey(note), { kind: 'call', session, ...note } satisfies OpenCallNote);
  }

  /** Its answer has been said. */
  answered(call: Pick<OpenCallNote, 'stream' | 'id'>): void {
    this.#log?.note(callKey(call), null);
  }

  question(id: JsonRpcId): void {
    const { session } = this;
    this.#log?.note(this.#questionKey(id), { kind: 'question', session, id } satisfies QuestionNote);
  }

  questionOver(id: JsonRpcId): void {
    this.#log?.note(this.#questionKey(id), null);
  }

  #questionKey(id: JsonRpcId): string {
    return `${this.session}?${JSON.stringify(id)}`;
  }
}

function callKey({ stream, id }: Pick<OpenCallNote, 'stream' | 'id'>): string {
  return `${stream}/${JSON.stringify(id)}`;
}

/** What a note says; null where another version wrote it. */
export function readNote(value: unknown): OpenNote | null {
  if (!isObject(value) || typeof value.session !== 'string' || !isId(value.id)) return null;
  if (value.kind === 'question') return value as QuestionNote;
  const isCall =
    value.kind === 'call' && typeof value.stream === 'string' && typeof value.method === 'string';
  return isCall && typeof value.startedAt === 'number' && isSent(value.sent) ? (value as OpenCallNote) : null;
}

function isSent(sent: unknown): boolean {
  if (sent === null) return true;
  return isObject(sent) && typeof sent.replica === 'string' && isCount(sent.id) && isCount(sent.line);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value);
}

function isId(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}
