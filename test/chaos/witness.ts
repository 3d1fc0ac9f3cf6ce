import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Server } from '../e2e/harness.ts';
import { fromEngine } from './engine-itself.ts';
import type { HostOrchestrator } from './host-orchestrator.ts';
import { SERVER } from './world.ts';

/** Nothing announces a lie: it is looked for. */
const LOOK_EVERY_MS = 500;
/** Silence of the engine or of Redis for so long is their absence, as for Gantry itself. */
const SILENT_MS = 2000;
/** After so long the API has to say what has become of the engine or of Redis. */
const TOLD_WITHIN_MS = 6000;
/** Of a replica: it is found frozen after `callTimeoutMs` and its probes (docs/configuration.md), with a few seconds to look twice. */
const REPLICA_TOLD_WITHIN_MS = 20_000;

type Part = 'engine' | 'redis';
type Mesh = {
  readonly status: string;
  readonly infrastructure: readonly { readonly name: string; readonly state: string }[];
  readonly services: readonly {
    readonly name: string;
    readonly state: string;
    readonly replicas: readonly { readonly container_id: string; readonly state: string }[];
  }[];
};

/** Whether something is there, and since when, in milliseconds since the epoch. */
class Presence {
  isThere = true;
  since = Date.now();
  awayMs = 0;

  is(there: boolean): void {
    if (there === this.isThere) return;
    if (there) this.awayMs += Date.now() - this.since;
    this.isThere = there;
    this.since = Date.now();
  }
}

/**
 * Asks the engine and Redis themselves how they are, and the API what it says of them and of the replicas, again and
 * again. It is a lie to call something there that has been away for longer than it may take to notice; and to call
 * something away for so long that is there. (That it did not answer in time once is the truth on a busy machine.)
 */
export class Witness {
  readonly lies: string[] = [];
  /** From the end of a container, or its pause, until the API did not call it ready any more, at most. */
  longestSaidReadyMs = 0;
  looks = 0;
  /** Of these, while it was away. */
  readonly looksWithout: Record<Part, number> = { engine: 0, redis: 0 };
  readonly #mesh: HostOrchestrator;
  readonly #redis: Redis;
  readonly #is = { engine: new Presence(), redis: new Presence() };
  /** What is said to be away and is there, by the time it was first said. */
  readonly #alarms = new Map<string, number>();
  /** Containers that the API has called ready and that do not run, or are paused, by the time they were first seen so. */
  readonly #dead = new Map<string, number>();
  #isOver = false;
  #looking: Promise<void>;

  constructor(mesh: HostOrchestrator, redisUrl: string) {
    this.#mesh = mesh;
    this.#redis = new Redis(redisUrl, { maxRetriesPerRequest: 0, retryStrategy: () => LOOK_EVERY_MS });
    this.#redis.on('error', () => {}); // that it is away is what is asked for
    this.#looking = this.#lookAgain();
  }

  /** How long it was away in all, in milliseconds. */
  awayMs(part: Part): number {
    return this.#is[part].awayMs;
  }

  /** Ends after the look under way. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#looking;
    this.#redis.disconnect();
  }

  async #lookAgain(): Promise<void> {
    while (!this.#isOver) {
      await this.#look().catch((error) => this.lies.push(`the API did not answer: ${error}`));
      this.looks++;
      await delay(LOOK_EVERY_MS);
    }
  }

  /** The engine and Redis are asked before and after the API: what changes meanwhile is no lie. */
  async #look(): Promise<void> {
    const before = await this.#askThemselves();
    const [readiness, status, servers] = await Promise.all([
      this.#mesh.api<{ checks: Record<Part, string> }>('GET', '/readyz'),
      this.#mesh.api<Mesh>('GET', '/api/v1/mesh/status'),
      this.#mesh.api<{ servers: Server[] }>('GET', '/api/v1/servers'),
    ]);
    const alive = new Set([...before, ...(await this.#askThemselves())]);
    for (const part of ['engine', 'redis'] as const) {
      if (!this.#is[part].isThere) this.looksWithout[part]++;
      const said = status.json.infrastructure.find(({ name }) => name === part);
      this.#compare(part, 'mesh status', said?.state === 'healthy');
      this.#compare(part, '/readyz', readiness.json.checks[part] === 'ok');
      if (readiness.status === 200) this.#compare(part, 'the status of /readyz', true);
    }
    const service = status.json.services.find(({ name }) => name === SERVER);
    const ready = (service?.replicas ?? []).filter(({ state }) => state === 'ready');
    this.#compareReplicas(
      ready.map(({ container_id }) => container_id),
      alive,
    );
    const server = servers.json.servers.find(({ name }) => name === SERVER);
    const saysUp = server?.state === 'ready' || server?.replicas.ready !== 0 || service?.state === 'healthy';
    // Without an engine nothing runs.
    if (saysUp) this.#compare('engine', `server ${SERVER}`, true);
  }

  /** Notes how both are now. @returns what runs */
  async #askThemselves(): Promise<readonly string[]> {
    const [running, pong] = await Promise.all([answerOf(this.#running()), answerOf(this.#redis.ping())]);
    this.#is.engine.is(running !== null);
    this.#is.redis.is(pong === 'PONG');
    return running ?? [];
  }

  #compare(part: Part, where: string, saysThere: boolean): void {
    const now = Date.now();
    const { isThere, since } = this.#is[part];
    const key = `${part} in ${where}`;
    if (saysThere || !isThere) this.#alarms.delete(key);
    else this.#alarms.set(key, this.#alarms.get(key) ?? now);
    if (saysThere && !isThere && now - since > TOLD_WITHIN_MS)
      this.lies.push(`${key}: said to be there, away for ${now - since} ms`);
    const alarmMs = now - (this.#alarms.get(key) ?? now);
    if (alarmMs > TOLD_WITHIN_MS)
      this.lies.push(`${key}: said to be away for ${alarmMs} ms, but it is there`);
  }

  #compareReplicas(ready: readonly string[], alive: ReadonlySet<string>): void {
    const now = Date.now();
    for (const id of this.#dead.keys()) if (alive.has(id) || !ready.includes(id)) this.#dead.delete(id);
    for (const id of ready.filter((one) => !alive.has(one))) {
      const since = this.#dead.get(id) ?? now;
      this.#dead.set(id, since);
      this.longestSaidReadyMs = Math.max(this.longestSaidReadyMs, now - since);
      if (now - since > REPLICA_TOLD_WITHIN_MS) this.lies.push(`${id} does not run, but is said to be ready`);
    }
  }

  /** Full ids of what runs and is not paused, as the engine says. */
  async #running(): Promise<readonly string[]> {
    const filters = { label: [`gantry.owner=${this.#mesh.owner}`], status: ['running'] };
    const listed = await fromEngine<{ Id: string }[]>(
      `/containers/json?filters=${encodeURIComponent(JSON.stringify(filters))}`,
    );
    return listed.map(({ Id }) => Id);
  }
}

/** @returns null where there is none in time */
async function answerOf<T>(asked: Promise<T>): Promise<T | null> {
  const late = new AbortController();
  try {
    return await Promise.race([asked, delay(SILENT_MS, null, { signal: late.signal })]);
  } catch {
    return null;
  } finally {
    late.abort();
  }
}
