import packageJson from '../../../package.json' with { type: 'json' };
import { GantryError, type ServerSpec } from '../../kernel/index.ts';
import type { Router } from '../../routing/index.ts';
import { type Era, META_PREFIX, MODERN_VERSIONS, VERSION_KEY } from '../era.ts';

/** A process that has not answered by then is silent: servers that know the question answer it within their start. */
const SILENCE_MS = 5000;
const UNSUPPORTED_VERSION = -32022;

/** Parameters of a modern request in Gantry's own name. */
export const OWN_PARAMS = {
  _meta: {
    [VERSION_KEY]: MODERN_VERSIONS[0],
    [`${META_PREFIX}clientInfo`]: { name: 'gantry', version: packageJson.version },
    [`${META_PREFIX}clientCapabilities`]: {},
  },
};

/** Where verdicts are kept: in memory, or somewhere that outlives the process. */
export type EraMemory = {
  get(key: string): Promise<Era | null>;
  put(key: string, era: Era): Promise<void>;
};

export function eraMemory(): EraMemory {
  const known = new Map<string, Era>();
  return {
    get: async (key) => known.get(key) ?? null,
    put: async (key, era) => void known.set(key, era),
  };
}

/**
 * Finds out which era a server speaks, in a throwaway replica: some servers exit when they are asked a question
 * they do not know, and a server that was greeted in one era may stay in it.
 */
export class ServerEra {
  readonly #router: Router;
  readonly #memory: EraMemory;
  readonly #asking = new Map<string, Promise<Era>>();

  constructor(router: Router, memory: EraMemory) {
    this.#router = router;
    this.#memory = memory;
  }

  /** @throws GantryError no_replica, replica_failed when there is no process to ask */
  async of(spec: ServerSpec, principal: string): Promise<Era> {
    const key = keyOf(spec);
    const known = await this.#memory.get(key);
    if (known !== null) return known;
    const asking = this.#asking.get(key) ?? this.#ask(spec, principal, key);
    this.#asking.set(key, asking);
    return asking;
  }

  async #ask(spec: ServerSpec, principal: string, key: string): Promise<Era> {
    try {
      const replica = await this.#router.openForSession(spec.name, principal);
      try {
        const outcome = await replica.discover(OWN_PARAMS, Math.min(SILENCE_MS, spec.timeouts.readyMs));
        const era = outcome.ok || outcome.error.code === UNSUPPORTED_VERSION ? 'modern' : 'legacy';
        await this.#memory.put(key, era);
        return era;
      } catch (error) {
        if (!saysLegacy(error)) throw error;
        await this.#memory.put(key, 'legacy');
        return 'legacy';
      } finally {
        void this.#router.release(replica, 'its era is known');
      }
    } finally {
      this.#asking.delete(key);
    }
  }
}

/** It exited, or kept silent. */
function saysLegacy(error: unknown): boolean {
  return error instanceof GantryError && (error.code === 'replica_failed' || error.code === 'call_timeout');
}

/** What the answer depends on: the program, its arguments, and which settings it is given. */
function keyOf({ source, args, env }: ServerSpec): string {
  return JSON.stringify([source, args, Object.keys(env).sort()]);
}
