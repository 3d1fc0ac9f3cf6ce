import { GantryError, type ToolView } from '../kernel/index.ts';

/** Methods that change nothing in the server (MCP, all revisions): asked twice they are as good as asked once. */
const READ_ONLY: ReadonlySet<string> = new Set([
  'ping',
  'tools/list',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
]);

/** Failures of the way to a process or of the process. A timeout is none: the caller's own time is over by then. */
const FAILURES: ReadonlySet<string> = new Set(['replica_failed', 'no_replica', 'queue_full']);

export type RetryVerdict =
  | { readonly retry: true; readonly why: 'not_sent' | 'read_only' | 'idempotent' }
  /** `not_a_failure`: there is nothing to try again, such as a call that its caller withdrew. */
  | { readonly retry: false; readonly why: 'may_have_run' | 'not_a_failure' };

/**
 * Whether a failed call may be sent to another replica: never a second execution of a call that may have run, unless
 * it may run twice.
 * @param tools what the server listed; a tool that is not in it, or not marked, runs once
 */
export function retryVerdict(
  error: unknown,
  request: { readonly method: string; readonly params?: Readonly<Record<string, unknown>> | undefined },
  tools: readonly ToolView[],
): RetryVerdict {
  if (!(error instanceof GantryError) || !FAILURES.has(error.code)) {
    return { retry: false, why: 'not_a_failure' };
  }
  if (error.code !== 'replica_failed' || error.detail.mayHaveRun === false) {
    return { retry: true, why: 'not_sent' };
  }
  if (READ_ONLY.has(request.method)) return { retry: true, why: 'read_only' };
  if (request.method === 'tools/call' && mayRunTwice(request.params?.name, tools)) {
    return { retry: true, why: 'idempotent' };
  }
  return { retry: false, why: 'may_have_run' };
}

/** As the server itself says of the tool (MCP, ToolAnnotations); where it lists a name twice, of each. */
export function mayRunTwice(name: unknown, tools: readonly ToolView[]): boolean {
  const named = tools.filter((tool) => tool.name === name);
  return named.length > 0 && named.every(({ annotations }) => isMarked(annotations));
}

function isMarked(annotations: unknown): boolean {
  if (typeof annotations !== 'object' || annotations === null) return false;
  const { readOnlyHint, idempotentHint } = annotations as Record<string, unknown>;
  return readOnlyHint === true || idempotentHint === true;
}
