import { type ConfigProblem, type ConfigView, GantryError, messageOf } from '../kernel/index.ts';

/** One reading of gantry.yaml after the first, and what became of it. */
export type Reload = NonNullable<ConfigView['lastReload']>;
export type ReloadTrigger = Reload['trigger'];

/** Names of servers that a change of the list concerns. */
export type Names = Pick<Reload, 'added' | 'changed' | 'removed'>;

/** More help nobody; the answer to a reload has them all. */
const MOST_PROBLEMS = 50;

export function acceptedReload(atMs: number, trigger: ReloadTrigger, names: Names): Reload {
  const { added, changed, removed } = names;
  const outcome = added.length + changed.length + removed.length === 0 ? 'unchanged' : 'applied';
  return { at: new Date(atMs).toISOString(), trigger, outcome, added, changed, removed, problems: [] };
}

/** @param file where a problem does not know its own */
export function refusedReload(atMs: number, trigger: ReloadTrigger, error: unknown, file: string): Reload {
  const none = { added: [], changed: [], removed: [] };
  const problems = problemsOf(error, file).slice(0, MOST_PROBLEMS);
  return { at: new Date(atMs).toISOString(), trigger, outcome: 'refused', ...none, problems };
}

function problemsOf(error: unknown, file: string): ConfigProblem[] {
  const known =
    error instanceof GantryError ? (error.detail.problems as Partial<ConfigProblem>[]) : undefined;
  if (known === undefined) return [{ file, path: '', line: null, column: null, message: messageOf(error) }];
  return known.map((problem) => ({
    file: problem.file ?? file,
    path: problem.path ?? '',
    line: problem.line ?? null,
    column: problem.column ?? null,
    message: problem.message ?? '',
  }));
}
