import { isObject } from '../kernel/index.ts';

/** What a task of the mesh's own topic says: which tool of which server, and its arguments. */
export type ToolTask = {
  /** `server/tool`, as it was given. */
  readonly type: string;
  readonly server: string;
  readonly tool: string;
  readonly args: Record<string, unknown>;
};

/** @returns null where it names no server and tool, or its payload is no object */
export function toolTaskOf(task: unknown): ToolTask | null {
  if (!isObject(task)) return null;
  const { task_type: type, payload = {} } = task;
  if (typeof type !== 'string' || !isObject(payload)) return null;
  // Names of servers have no slash, those of tools may.
  const slash = type.indexOf('/');
  const [server, tool] = [type.slice(0, slash), type.slice(slash + 1)];
  return slash > 0 && tool !== '' ? { type, server, tool, args: payload } : null;
}

export function readToolTask(json: string): ToolTask | null {
  try {
    return toolTaskOf(JSON.parse(json));
  } catch {
    return null; // nobody but somebody with access to Redis can have written that
  }
}
