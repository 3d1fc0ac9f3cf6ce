import type { Environment } from './environment.ts';
import type { Health, InfrastructureView } from './http/index.ts';
import { systemClock } from './kernel/index.ts';

/** Several who ask at the same moment need not ask the engine and Redis several times. */
const FRESH_MS = 1000;

/** What Gantry itself stands on, with its state: the engine, Redis, and this process. */
export class Infrastructure {
  readonly #environment: Environment;
  readonly #health: Health;
  #known: readonly InfrastructureView[] = [];
  #knownAt = 0;

  constructor(environment: Environment, health: Health) {
    this.#environment = environment;
    this.#health = health;
  }

  /** As last seen; empty before anybody asked. */
  get known(): readonly InfrastructureView[] {
    return this.#known;
  }

  async view(): Promise<readonly InfrastructureView[]> {
    const now = systemClock.now();
    if (now - this.#knownAt < FRESH_MS) return this.#known;
    const { engine, redis, publicUrl } = this.#environment;
    const says = await this.#health.check();
    this.#known = [
      service('engine', `tcp://${engine.host}:${engine.port}`, says.engine),
      // Without Redis the memory twin serves: nothing is broken, but nothing outlives this process.
      redis === null
        ? service('redis', 'memory:', 'ok', 'not configured: nothing outlives the orchestrator')
        : service('redis', `redis://${redis.host}:${redis.port}`, says.redis),
      service('orchestrator', publicUrl, 'ok'),
    ];
    this.#knownAt = now;
    return this.#known;
  }
}

function service(
  name: InfrastructureView['name'],
  url: string,
  says: string,
  message = says,
): InfrastructureView {
  const state = says === 'ok' ? 'healthy' : 'unhealthy';
  const { hostname, port, protocol } = new URL(url);
  return {
    id: name,
    name,
    address: hostname,
    port: Number(port || (protocol === 'https:' ? 443 : protocol === 'http:' ? 80 : 0)),
    tags: ['infrastructure'],
    metadata: { message, url },
    state,
  };
}
