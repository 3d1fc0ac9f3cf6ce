import { type Reason, reason, type ServerState } from '../kernel/index.ts';

/** What is known of a server that others depend on; null where there is none of that name. */
export type Dependency = { readonly state: ServerState; readonly reason: Reason | null } | null;

/**
 * What keeps a server from being started: the first of its dependencies that has failed, or else that is not ready yet.
 * Null when all are ready. Once a server has been started, what becomes of its dependencies does not stop it.
 */
export function obstacle(dependsOn: readonly string[], of: (name: string) => Dependency): Reason | null {
  let waiting: Reason | null = null;
  for (const name of dependsOn) {
    const dependency = of(name);
    const failure = failureOf(name, dependency);
    if (failure !== null) return reason('dependency_failed', failure);
    if (dependency !== null && !isUp(dependency.state)) {
      waiting ??= reason('waiting_for', `It waits for server ${name}, which is ${dependency.state}.`);
    }
  }
  return waiting;
}

function failureOf(name: string, dependency: Dependency): string | null {
  if (dependency === null) return `It depends on server ${name}, which does not exist.`;
  const why = dependency.reason?.message ?? '';
  if (dependency.state === 'failed') return `It depends on server ${name}, which has failed: ${why}`;
  if (dependency.state === 'disabled') return `It depends on server ${name}, which is disabled: ${why}`;
  if (dependency.reason?.code !== 'dependency_failed') return null;
  return `It depends on server ${name}, which cannot be started either: ${why}`;
}

/** One that is paused has been ready: somebody, or the lack of calls, put it to sleep. */
function isUp(state: ServerState): boolean {
  return state === 'ready' || state === 'paused';
}

export type StartOrderOptions = {
  /** Null for a server that nobody wants. */
  readonly dependsOn: (server: string) => readonly string[] | null;
  readonly stateOf: (server: string) => Dependency;
};

/** Servers that wait for others, each until nothing is in its way any more. */
export class StartOrder {
  readonly #options: StartOrderOptions;
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();
  /** Whose obstacles are being looked for: a circle must not go round for ever. */
  readonly #judged = new Set<string>();

  constructor(options: StartOrderOptions) {
    this.#options = options;
  }

  /** What keeps a server from being started, as far as others do. */
  obstacleOf(server: string): Reason | null {
    const dependsOn = this.#options.dependsOn(server);
    if (dependsOn === null || this.#judged.has(server)) return null;
    this.#judged.add(server);
    const found = obstacle(dependsOn, this.#options.stateOf);
    this.#judged.delete(server);
    return found;
  }

  /** Resolves when the server may be started. */
  turn(server: string): Promise<void> {
    if (this.obstacleOf(server) === null) return Promise.resolve();
    const waiting = this.#waiting.get(server) ?? Promise.withResolvers<void>();
    this.#waiting.set(server, waiting);
    return waiting.promise;
  }

  /** Something has changed that servers may wait for. */
  look(): void {
    for (const [server, waiting] of this.#waiting) {
      if (this.obstacleOf(server) !== null) continue;
      this.#waiting.delete(server);
      waiting.resolve();
    }
  }
}
