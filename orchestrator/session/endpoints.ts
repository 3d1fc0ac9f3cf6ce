import type { Clock } from '../kernel/index.ts';
import type { Router } from '../routing/index.ts';
import { AggregateSession } from './aggregate/aggregate-session.ts';
import type { Aggregates } from './aggregate/aggregates.ts';
import { isSet } from './aggregate/names.ts';
import type { Backend } from './backend.ts';
import { backendFor } from './backends.ts';
import { restoredBackend } from './restored-process.ts';
import type { SessionRecord } from './session-book.ts';
import { gated } from './tool-gate.ts';

export type EndpointsOptions = {
  readonly router: Router;
  readonly clock: Clock;
  readonly aggregates: Aggregates;
};

/** What clients open sessions on, by name: a server, or a set of servers (`@name`). */
export class Endpoints {
  readonly #options: EndpointsOptions;

  constructor(options: EndpointsOptions) {
    this.#options = options;
  }

  /** @throws GantryError server_not_found */
  check(endpoint: string): void {
    const { router, aggregates } = this.#options;
    if (isSet(endpoint)) aggregates.check(endpoint);
    else router.spec(endpoint);
  }

  /** How long a session there may be idle, in milliseconds. @throws as `check` */
  sessionIdleMs(endpoint: string): number {
    const { router, aggregates } = this.#options;
    this.check(endpoint);
    return isSet(endpoint)
      ? aggregates.sessionIdleMs(endpoint)
      : router.spec(endpoint).timeouts.sessionIdleMs;
  }

  /** What stands behind a new session. @param hello the parameters of the client's initialize. @throws as `check` and `backendFor` */
  async open(endpoint: string, principal: string, hello: Record<string, unknown>): Promise<Backend> {
    const { router, clock } = this.#options;
    this.check(endpoint);
    if (isSet(endpoint)) return new AggregateSession({ ...this.#options, endpoint, principal, hello });
    return await backendFor(router, clock, router.spec(endpoint), principal, hello);
  }

  /** What stands behind a session that an earlier start of the orchestrator had; null where it cannot go on. @throws as `check` */
  again(record: SessionRecord): Backend | null {
    const { router, clock } = this.#options;
    const spec = router.spec(record.server);
    const backend = restoredBackend(router, clock, spec, record);
    return backend === null ? null : gated(backend, () => router.spec(spec.name));
  }
}
