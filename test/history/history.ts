/** A call of a client: where its messages have to arrive, and nowhere else. Unique in a history. */
export type Call = { readonly client: string; readonly call: string };

/** Where a message arrived: on the response of a call, or (null) on a stream of the client that belongs to no call. */
export type Place = { readonly client: string; readonly call: string | null };

/**
 * What a message says about itself. Its sender wrote this into it, so it stays true wherever the message goes.
 * `log` messages carry no correlation on stdio: they belong to a client, on whichever of its streams.
 */
export type Said = Call & {
  readonly kind: 'answer' | 'progress' | 'log';
  /** Counted from 1 for each kind of a call. An answer is number 1. */
  readonly number: number;
};

/** How many messages a call is to bring beside its one answer. */
export type Expected = { readonly progress: number; readonly log: number };

export type Verdict = {
  readonly clients: number;
  readonly calls: number;
  readonly answers: number;
  /** Progress and log messages. */
  readonly notifications: number;
  /** Calls that ended with an error that their client was told, and the error. No fault of a delivery. */
  readonly failed: readonly string[];
  /** Arrived at another client than its own, or at another call. */
  readonly crossed: readonly string[];
  /** Never arrived. What is missing of a call that failed is not lost: its client knows. */
  readonly lost: readonly string[];
  /** Arrived more than once. */
  readonly duplicated: readonly string[];
  /** Nobody sent it, or more of it than was asked for. */
  readonly unknown: readonly string[];
  /** Arrived after a later one of its kind, or after the end of its call. */
  readonly disordered: readonly string[];
};

type Record = {
  readonly expected: Expected;
  readonly seen: Set<string>;
  /** The highest number of each kind so far. */
  readonly last: Map<Said['kind'], number>;
  end: 'open' | 'answered' | 'failed';
};

/**
 * What clients sent and what reached whom, and whether that fits: each message exactly once, at its own client and
 * call, in order. Written down while a test runs; judged in the end.
 */
export class History {
  readonly #records = new Map<string, Record>();
  readonly #clients = new Set<string>();
  readonly #failed: string[] = [];
  readonly #crossed: string[] = [];
  readonly #duplicated: string[] = [];
  readonly #unknown: string[] = [];
  readonly #disordered: string[] = [];
  #notifications = 0;

  /** A client begins a call. @throws Error when there is such a call already: nothing could be told apart */
  sent(call: Call, expected: Expected): void {
    const key = markerOf(call);
    if (this.#records.has(key)) throw new Error(`${key} was sent before`);
    this.#clients.add(call.client);
    this.#records.set(key, { expected, seen: new Set(), last: new Map(), end: 'open' });
  }

  /** A message arrived. */
  got(at: Place, said: Said): void {
    const record = this.#records.get(markerOf(said));
    const what = `${said.kind} ${said.number} of ${markerOf(said)} at ${placeOf(at)}`;
    if (record === undefined || !isExpected(said, record.expected)) return void this.#unknown.push(what);
    if (said.kind !== 'answer') this.#notifications++;
    const isAtHome = at.client === said.client && (said.kind === 'log' || at.call === said.call);
    if (!isAtHome) return void this.#crossed.push(what);
    const key = `${said.kind} ${said.number}`;
    if (record.seen.has(key)) return void this.#duplicated.push(what);
    record.seen.add(key);
    const isLate = record.end !== 'open' || said.number < (record.last.get(said.kind) ?? 0);
    // A log message may come on another stream of its client, so it may overtake and be overtaken.
    if (isLate && said.kind !== 'log') this.#disordered.push(what);
    record.last.set(said.kind, said.number);
    if (said.kind === 'answer' && record.end === 'open') record.end = 'answered';
  }

  /** A message arrived that does not say what it is. */
  gotUnknown(at: Place, text: string): void {
    this.#unknown.push(`${text.slice(0, 200)} at ${placeOf(at)}`);
  }

  /** A call ended with an error. */
  failed(call: Call, why: string): void {
    const record = this.#records.get(markerOf(call));
    if (record === undefined) return this.gotUnknown(call, `error ${why}`);
    if (record.end !== 'open') this.#duplicated.push(`an end (${why}) of ${markerOf(call)}`);
    else this.#failed.push(`${markerOf(call)}: ${why}`);
    record.end = 'failed';
  }

  /** To be asked when every client is done: what has not arrived by then is lost. */
  verdict(): Verdict {
    const records = [...this.#records];
    return {
      clients: this.#clients.size,
      calls: records.length,
      answers: records.filter(([, { end }]) => end === 'answered').length,
      notifications: this.#notifications,
      failed: this.#failed,
      crossed: this.#crossed,
      lost: records.flatMap(([key, record]) => missing(record).map((what) => `${what} of ${key}`)),
      duplicated: this.#duplicated,
      unknown: this.#unknown,
      disordered: this.#disordered,
    };
  }
}

/** What a client writes into a call, so that whatever comes back says whose it is. */
export function markerOf({ client, call }: Call): string {
  return `${client}/${call}`;
}

/** The call that a marker names; null for any other text. */
export function readMarker(text: unknown): Call | null {
  const match = typeof text === 'string' ? /^([^/#]+)\/([^/#]+)$/.exec(text) : null;
  const [, client, call] = match ?? [];
  return client === undefined || call === undefined ? null : { client, call };
}

/** The faults alone: all of them empty is what a test asserts. */
export function faultsOf(verdict: Verdict): Pick<Verdict, (typeof FAULTS)[number]> {
  const { crossed, lost, duplicated, unknown, disordered } = verdict;
  return { crossed, lost, duplicated, unknown, disordered };
}

export const NO_FAULTS = { crossed: [], lost: [], duplicated: [], unknown: [], disordered: [] };

/** One line for a person: `2000 calls of 500 clients: …; 0 crossed, 0 lost, …`. */
export function summaryOf(verdict: Verdict): string {
  const { clients, calls, answers, notifications, failed } = verdict;
  const faults = FAULTS.map((fault) => `${verdict[fault].length} ${fault}`).join(', ');
  const counts = `${answers} answers, ${notifications} notifications, ${failed.length} failed`;
  return `${calls} calls of ${clients} clients: ${counts}; ${faults}`;
}

const FAULTS = ['crossed', 'lost', 'duplicated', 'unknown', 'disordered'] as const;

function isExpected({ kind, number }: Said, expected: Expected): boolean {
  const most = kind === 'answer' ? 1 : expected[kind];
  return Number.isInteger(number) && number >= 1 && number <= most;
}

function missing({ expected, seen, end }: Record): readonly string[] {
  if (end === 'failed') return [];
  const all = ['answer 1', ...numbered('progress', expected.progress), ...numbered('log', expected.log)];
  return all.filter((what) => !seen.has(what));
}

function numbered(kind: Said['kind'], count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${kind} ${index + 1}`);
}

function placeOf({ client, call }: Place): string {
  return call === null ? `${client} (outside of calls)` : `${client}/${call}`;
}
