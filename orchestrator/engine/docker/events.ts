import type { IncomingMessage } from 'node:http';
import type { EngineEvent } from '../engine.ts';
import type { DockerConnection } from './connection.ts';
import { QUICK_MS } from './connection.ts';
import { lines } from './lines.ts';

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;
const KEEPALIVE_MS = 15_000;
/** The daemon remembers 256 events; more need not be recognised when it repeats them. */
const REMEMBERED = 256;

/**
 * One subscription to the daemon's events, for as long as the engine lives. After a break it asks for what
 * happened since the last event, and compares its list of live containers with the daemon's: a restarted
 * daemon has forgotten its events. An event may therefore be told twice; none is missed.
 */
export class EventFeed {
  readonly #connection: DockerConnection;
  readonly #tell: (event: EngineEvent) => void;
  readonly #live = new Set<string>();
  readonly #told: string[] = [];
  readonly #control = new AbortController();
  /** Seconds with nanoseconds as the daemon writes them: as a number they would lose precision. */
  #since: string;
  #retryMs = FIRST_RETRY_MS;

  constructor(connection: DockerConnection, tell: (event: EngineEvent) => void) {
    this.#connection = connection;
    this.#tell = tell;
    this.#since = nanoSeconds(`${Date.now()}000000`);
    void this.#run();
  }

  close(): void {
    this.#control.abort();
  }

  async #run(): Promise<void> {
    while (!this.#control.signal.aborted) {
      try {
        await this.#follow();
      } catch {
        // An outage shows in every other request; here it only means to try again.
      }
      if (!this.#control.signal.aborted) await pause(this.#retryMs, this.#control.signal);
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    }
  }

  async #follow(): Promise<void> {
    const docker = await this.#connection.streaming();
    const stream = (await docker.getEvents({
      since: this.#since as unknown as number,
      filters: { type: ['container'], event: ['start', 'die', 'oom', 'destroy'], label: ['gantry.owner'] },
      abortSignal: this.#control.signal,
    })) as IncomingMessage;
    stream.socket.setKeepAlive(true, KEEPALIVE_MS);
    stream.socket.setTimeout(0);
    this.#retryMs = FIRST_RETRY_MS;
    await this.#compare();
    for await (const line of lines(stream)) this.#take(line);
  }

  #take(line: string): void {
    const event = JSON.parse(line) as { Action: string; Actor: { ID: string } };
    const nano = /"timeNano":(\d+)/.exec(line)?.[1];
    if (nano !== undefined) this.#since = nanoSeconds(nano);
    const containerId = event.Actor.ID;
    const key = `${nano} ${event.Action} ${containerId}`;
    if (this.#told.includes(key)) return;
    this.#told.push(key);
    if (this.#told.length > REMEMBERED) this.#told.shift();
    if (event.Action === 'start') this.#live.add(containerId);
    if (event.Action === 'die') this.#announce({ type: 'die', containerId });
    if (event.Action === 'oom') this.#announce({ type: 'oom', containerId });
    if (event.Action === 'destroy') this.#announce({ type: 'destroy', containerId });
  }

  #announce(event: EngineEvent): void {
    if (event.type !== 'oom') this.#live.delete(event.containerId);
    // In a turn of its own: what a listener throws is its own trouble, and no reason to reconnect.
    queueMicrotask(() => {
      if (!this.#control.signal.aborted) this.#tell(event);
    });
  }

  /** What was alive at the last look and is no longer has died, and is gone if it is not even listed. */
  async #compare(): Promise<void> {
    const listed = await this.#connection.request('container', QUICK_MS, (docker, abortSignal) =>
      docker.listContainers({ all: true, filters: { label: ['gantry.owner'] }, abortSignal }),
    );
    const states = new Map(listed.map(({ Id, State }) => [Id, State]));
    for (const containerId of [...this.#live]) {
      const state = states.get(containerId);
      if (state === 'running' || state === 'paused') continue;
      this.#announce({ type: 'die', containerId });
      if (state === undefined) this.#announce({ type: 'destroy', containerId });
    }
    for (const [id, state] of states) if (state === 'running' || state === 'paused') this.#live.add(id);
  }
}

/** Docker takes `seconds.nanoseconds`. */
function nanoSeconds(nano: string): string {
  return `${nano.slice(0, -9)}.${nano.slice(-9)}`;
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, delayMs);
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(timer);
      resolve();
    },
    { once: true },
  );
  return promise;
}
