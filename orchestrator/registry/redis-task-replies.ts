import type { ClaimedTask, DeadLetter, TaskRecord } from '../kernel/index.ts';

/** What the scripts in `tasks/` and the task's own hash say, as the words of the kernel. */
type Fields = Readonly<Record<string, string>>;

/** Of a stream: what each entry says, and its id as `entry`. */
export function entriesOf(reply: readonly [string, string[]][]): Fields[] {
  return reply.map(([entry, pairs]) => {
    const fields: Record<string, string> = { entry };
    for (let i = 0; i < pairs.length; i += 2) fields[pairs[i] ?? ''] = pairs[i + 1] ?? '';
    return fields;
  });
}

/** In the order in which `claim.lua` returns it. */
export function claimedOf(topic: string, consumer: string, fields: readonly string[]): ClaimedTask {
  const [id = '', stream = '', json = '', state = '', priority, attempts, refusals] = fields;
  const [principal = '', most, twice, enqueued, due, holder] = fields.slice(7);
  return {
    id,
    topic,
    lane: /@([^#]*)/.exec(stream)?.[1] ?? '',
    priority: Number(priority),
    json,
    principal,
    attempts: Number(attempts),
    maxAttempts: Number(most),
    refusals: Number(refusals),
    mayRunTwice: twice === '1',
    interrupted: state === 'running',
    wasHeld: holder === consumer,
    enqueuedAt: Number(enqueued),
    dueAt: Number(due),
  };
}

export function recordOf(id: string, fields: Fields, outcome: string | null): TaskRecord {
  return {
    id,
    topic: fields.topic ?? '',
    state: fields.state as TaskRecord['state'],
    priority: Number(fields.priority),
    principal: fields.principal ?? '',
    attempts: Number(fields.attempts),
    maxAttempts: Number(fields.max),
    enqueuedAt: Number(fields.enqueued),
    dueAt: Number(fields.due),
    message: fields.message ?? null,
    reason: (fields.reason as TaskRecord['reason'] | undefined) ?? null,
    outcome,
  };
}

export function letterOf(fields: Fields): DeadLetter {
  return {
    id: fields.id ?? '',
    json: fields.json ?? 'null',
    reason: fields.reason as DeadLetter['reason'],
    message: fields.message ?? '',
    attempts: Number(fields.attempts),
    diedAt: Number(fields.at),
  };
}
