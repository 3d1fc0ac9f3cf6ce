import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CrowdClient, type Telling } from '../e2e/crowd-client.ts';
import { type Call, History, markerOf } from '../history/history.ts';

export const IN_FLIGHT = 200;
/** A client that was refused comes back a moment later, and later each time, as clients do. */
const AFTER_A_REFUSAL_MS = 250;
const AFTER_MANY_REFUSALS_MS = 2000;

/** A history that also knows why calls failed. */
export class ChaosHistory extends History {
  readonly failures = new Map<string, string>();

  override failed(call: Call, why: string): void {
    this.failures.set(markerOf(call), why);
    super.failed(call, why);
  }
}

/** Many clients that call `tell` again and again, each waiting for the end of its call before the next one. */
export class Load {
  /** Begins the marker of each of its calls. */
  readonly id = randomBytes(4).toString('hex');
  readonly history = new ChaosHistory();
  readonly #clients: readonly CrowdClient[];
  readonly #telling: Telling;
  readonly #allSent = Promise.withResolvers<void>();
  #sent = 0;
  #stopping = false;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(options: {
    url: string;
    server: string;
    telling: Telling;
    clients?: number;
    era?: 'legacy' | 'modern';
  }) {
    const { url, server, telling, clients = IN_FLIGHT, era = 'modern' } = options;
    this.#telling = telling;
    this.#clients = Array.from(
      { length: clients },
      (_, index) => new CrowdClient({ url, server, name: `${this.id}-${index}`, era, history: this.history }),
    );
  }

  /** Resolves when every client has sent its first call. */
  async start(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.open()));
    this.#loops = Promise.all(this.#clients.map((client) => this.#loop(client)));
    await this.#allSent.promise;
  }

  /** No new calls. Resolves when those in flight have ended, each in its own way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#loops;
  }

  async #loop(client: CrowdClient): Promise<void> {
    let pauseMs = AFTER_A_REFUSAL_MS;
    for (let number = 1; !this.#stopping; number++) {
      const call = client.tell(number, this.#telling);
      if (++this.#sent === this.#clients.length) setImmediate(this.#allSent.resolve);
      const isRefused = (await call) === null;
      if (isRefused) await delay(pauseMs);
      pauseMs = isRefused ? Math.min(AFTER_MANY_REFUSALS_MS, 2 * pauseMs) : AFTER_A_REFUSAL_MS;
    }
  }
}
