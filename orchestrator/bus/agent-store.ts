import { type Agent, type Clock, GantryError } from '../kernel/index.ts';

/** How long an agent counts as there after it was last heard of. */
export const AGENT_TTL_MS = 60_000;
/** Ids are chosen by callers: more of them than this at a time would be a mistake, or worse. */
export const MAX_AGENTS = 1000;

/**
 * Who consumes tasks. Adapters: `redis-agent-store` of the registry and its twin in memory. Every method rejects with
 * `GantryError('registry_unavailable')` when the store does not answer.
 */
export type AgentStore = {
  /** Makes or replaces it, for `AGENT_TTL_MS`. @throws queue_full where there are too many */
  beat(agent: Agent): Promise<void>;
  get(id: string): Promise<Agent | null>;
  /** By id. */
  list(): Promise<readonly Agent[]>;
  close(): Promise<void>;
};

/** Agents that are forgotten with the process. */
export class MemoryAgentStore implements AgentStore {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #agents = new Map<string, { readonly agent: Agent; readonly until: number }>();

  constructor({ clock }: { readonly clock: Pick<Clock, 'now'> }) {
    this.#clock = clock;
  }

  async beat(agent: Agent): Promise<void> {
    this.#forgetSilent();
    if (!this.#agents.has(agent.id) && this.#agents.size >= MAX_AGENTS) throw tooManyAgents();
    this.#agents.set(agent.id, { agent: structuredClone(agent), until: this.#clock.now() + AGENT_TTL_MS });
  }

  async get(id: string): Promise<Agent | null> {
    this.#forgetSilent();
    return this.#agents.get(id)?.agent ?? null;
  }

  async list(): Promise<readonly Agent[]> {
    this.#forgetSilent();
    return [...this.#agents.values()].map(({ agent }) => agent).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async close(): Promise<void> {}

  #forgetSilent(): void {
    const now = this.#clock.now();
    for (const [id, { until }] of this.#agents) if (until <= now) this.#agents.delete(id);
  }
}

function tooManyAgents(): GantryError {
  const detail = { limit: MAX_AGENTS, retryAfterMs: AGENT_TTL_MS };
  return new GantryError(
    'queue_full',
    `There are ${MAX_AGENTS} agents already; wait until some are silent.`,
    {
      detail,
    },
  );
}
