import { z } from 'zod';
import { HIGHEST_PRIORITY, topicPattern } from '../../kernel/index.ts';
import { named } from './named.ts';
import { anyObject, whole } from './schemas.ts';

/** A month: what is to happen later than that belongs into a calendar. */
const MAX_DELAY_MS = 30 * 24 * 3600 * 1000;
const MAX_ATTEMPTS = 20;
const DEFAULT_ATTEMPTS = 5;
const MAX_BATCH = 1000;
/** As many results as the earlier mesh gave at once. */
const MAX_LISTED = 100;

export const topic = z.string().regex(topicPattern, 'must be 1 to 64 of a-z 0-9 : _ -');
const agentId = z.string().regex(/^[A-Za-z0-9:_.-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 : _ . -');
const state = z.enum(['queued', 'delayed', 'running', 'done', 'failed', 'dead']);
const reason = z.enum(['may_have_run', 'attempts', 'unreachable', 'not_a_task']);

const when = {
  priority: z.int().min(0).max(HIGHEST_PRIORITY).default(0).describe('Higher ones first.'),
  delay_ms: z.int().min(0).max(MAX_DELAY_MS).default(0),
  idempotency_key: z.string().min(1).max(256).optional(),
  max_attempts: z.int().min(1).max(MAX_ATTEMPTS).default(DEFAULT_ATTEMPTS),
};
export const TopicTask = named(
  'TopicTask',
  z.strictObject({
    topic,
    task: anyObject,
    ...when,
    may_run_twice: z.boolean().default(false).describe('Of topics of agents; a tool says it itself.'),
  }),
);
export const ToolTask = named(
  'ToolTask',
  z.strictObject({
    task_type: z.string().regex(/^[a-z][a-z0-9-]{0,62}\/./, 'must be server/tool'),
    payload: anyObject.default({}),
    ...when,
  }),
);
export const ToolTasks = named(
  'ToolTasks',
  z.strictObject({ tasks: z.array(ToolTask).min(1).max(MAX_BATCH) }),
);

export const EnqueuedId = named('EnqueuedId', z.object({ id: z.string() }));
const accepted = {
  task_id: z.string(),
  status: state,
  result: z.object({ message: z.string() }),
};
export const AcceptedTask = named('AcceptedTask', z.object(accepted));
export const AcceptedTasks = named('AcceptedTasks', z.object({ tasks: z.array(AcceptedTask) }));

const problem = z.object({ code: z.string(), message: z.string() });
export const Task = named(
  'Task',
  z.object({
    task_id: z.string(),
    status: state,
    topic: z.string(),
    attempts: whole,
    result: z
      .unknown()
      .describe('Of a tool, its CallToolResult, unchanged. Null before, and where there is none.'),
    error: problem.nullable(),
    agent: z.string().nullable().describe('Who executed it.'),
    enqueued_at: z.string(),
    due_at: z.string().optional(),
    finished_at: z.string().nullable(),
  }),
);
export const Listing = z.object({ topic, count: z.coerce.number().int().min(1).max(MAX_LISTED).default(10) });
export const Results = named('Results', z.array(z.object({ id: z.string(), data: Task })));

export const DeadLetters = named(
  'DeadLetters',
  z.object({
    count: whole,
    tasks: z.array(
      z.object({
        task_id: z.string(),
        reason,
        message: z.string(),
        attempts: whole,
        died_at: z.string(),
        task: z.unknown(),
      }),
    ),
  }),
);

const agentFields = { agent_type: z.string().min(1).max(64), meta: anyObject };
export const AgentList = named(
  'AgentList',
  z.object({ count: whole, agents: z.array(z.object({ agent_id: z.string(), ...agentFields })) }),
);
export const Heartbeat = named(
  'Heartbeat',
  z.strictObject({
    agent_type: agentFields.agent_type.optional(),
    meta: anyObject.optional(),
    tasks: z
      .array(z.string())
      .max(MAX_LISTED)
      .default([])
      .describe('Still at work on these; takes the scope admin.'),
  }),
);
export const HeartbeatAnswer = named(
  'HeartbeatAnswer',
  z.object({ agent_id: z.string(), ttl_seconds: whole, tasks: z.array(z.string()) }),
);
export const Claim = named(
  'Claim',
  z.strictObject({ topic, agent_id: agentId, count: z.int().min(1).max(MAX_LISTED).default(1) }),
);
export const ClaimedTasks = named(
  'ClaimedTasks',
  z.object({
    topic: z.string(),
    lease_seconds: whole,
    tasks: z.array(z.object({ task_id: z.string(), priority: whole, attempts: whole, task: z.unknown() })),
  }),
);
export const TaskReport = named(
  'TaskReport',
  z.strictObject({
    agent_id: agentId,
    status: z.enum(['done', 'failed', 'retry']),
    result: z.unknown().optional(),
    message: z.string().max(2000).optional(),
  }),
);
export const TaskReported = named(
  'TaskReported',
  z.object({ task_id: z.string(), status: z.enum(['done', 'failed', 'retry', 'dead']) }),
);
export const agentIdOf = (text: string): string | null => (agentId.safeParse(text).success ? text : null);
