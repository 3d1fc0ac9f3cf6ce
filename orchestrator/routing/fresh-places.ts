import type { Clock, Facts, ServerSpec } from '../kernel/index.ts';
import { WaitingLine, type Request as WaitRequest } from './waiting-line.ts';

/** Frees the place; a second time it does nothing. */
export type Place = () => void;

/**
 * How many replicas of one server serve one call each (sharing `call`): `maxSessions`, containers that are just ending
 * included. Calls beyond that wait, as for a replica of a pool.
 */
export class FreshPlaces {
  readonly #spec: () => ServerSpec | null;
  readonly #line: WaitingLine<WaitRequest, Place>;
  #taken = 0;

  constructor(options: { server: string; spec: () => ServerSpec | null; clock: Clock; facts: Facts }) {
    this.#spec = options.spec;
    this.#line = new WaitingLine({ ...options, take: () => this.#take() });
  }

  get queued(): number {
    return this.#line.length;
  }

  /** @throws GantryError no_replica, queue_full, cancelled */
  async enter(request: WaitRequest, { queueSize, queueTimeoutMs }: ServerSpec['balance']): Promise<Place> {
    this.#line.serve(); // whoever waits already comes first
    const place = this.#line.length === 0 ? this.#take() : null;
    return place ?? (await this.#line.enter(request, { size: queueSize, timeoutMs: queueTimeoutMs }));
  }

  #take(): Place | null {
    const most = this.#spec()?.maxSessions ?? 0;
    // Where there is none at all nobody waits for one: the attempt to open it says why.
    if (most > 0 && this.#taken >= most) return null;
    this.#taken++;
    let isFree = false;
    return () => {
      if (isFree) return;
      isFree = true;
      this.#taken--;
      this.#line.serve();
    };
  }
}
