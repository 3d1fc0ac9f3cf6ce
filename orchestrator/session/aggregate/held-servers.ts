import { type Clock, GantryError, type Signal } from '../../kernel/index.ts';
import type { Router } from '../../routing/index.ts';
import { HeldServer, type HeldServerOptions } from './held-server.ts';

/** How often idle ones are looked for: a session's replica is a container that somebody else may need. */
const SWEEP_MS = 1000;

export type HeldServersOptions = Omit<HeldServerOptions, 'server' | 'ending' | 'known'> & {
  readonly router: Router;
  readonly clock: Clock;
  readonly known: (server: string) => ReturnType<HeldServerOptions['known']>;
  /** One has begun, or is over. */
  readonly count: (server: string, by: 1 | -1) => void;
  /** One has been opened, and nobody has used it yet. */
  readonly onOpened: (held: HeldServer) => Promise<void>;
  /** One is over by itself: its process died, or it was idle for too long. */
  readonly onOver: (held: HeldServer) => void;
};

/** The sessions on single servers that one session on several holds: made when needed, and made anew when one has died. */
export class HeldServers {
  readonly #options: HeldServersOptions;
  readonly #opening = new Map<string, Promise<HeldServer>>();
  readonly #held = new Map<string, HeldServer>();
  readonly #ending = new AbortController();
  #stopSweep = (): void => {};

  constructor(options: HeldServersOptions) {
    this.#options = options;
  }

  get all(): readonly HeldServer[] {
    return [...this.#held.values()];
  }

  find(server: string): HeldServer | undefined {
    return this.#held.get(server);
  }

  /** Settles when no list is being read any more, or when that takes too long. */
  async settled(clock: Clock, withinMs: number): Promise<void> {
    const reading = this.all.flatMap((held) => held.reading ?? []);
    if (reading.length === 0) return;
    let cancelTimer = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancelTimer = clock.after(withinMs, resolve);
    });
    await Promise.race([Promise.all(reading), late]);
    cancelTimer();
  }

  /**
   * The session on a server, made if there is none.
   * @throws GantryError as `HeldServer.open`; cancelled when `signal` aborts, while others may still wait for it
   */
  async on(server: string, signal: Signal): Promise<HeldServer> {
    const held = this.#held.get(server);
    if (held !== undefined) return held;
    const opening = this.#opening.get(server) ?? this.#begin(server);
    return await unlessAborted(opening, signal);
  }

  close(why: string): void {
    this.#ending.abort(why);
    this.#stopSweep();
    for (const held of this.all) this.#drop(held)?.backend.close(why);
  }

  #begin(server: string): Promise<HeldServer> {
    const opening = this.#open(server).finally(() => this.#opening.delete(server));
    opening.catch(() => {
      // Told to whoever waits for it; they may all have left.
    });
    this.#opening.set(server, opening);
    return opening;
  }

  async #open(server: string): Promise<HeldServer> {
    const { known, onOpened, onOver, count: _count, ...shared } = this.#options;
    const ending = this.#ending.signal;
    const held = await HeldServer.open({ ...shared, server, ending, known: () => known(server) });
    if (ending.aborted) {
      held.backend.close('its session ended');
      throw new GantryError('cancelled', 'The session ended while this call was open.');
    }
    this.#held.set(server, held);
    this.#options.count(server, 1);
    void held.backend.over.then(() => {
      if (this.#drop(held) !== null) onOver(held);
    });
    if (this.#held.size === 1) this.#sweepLater();
    await onOpened(held);
    return held;
  }

  /** @returns it, or null where it is not held any more */
  #drop(held: HeldServer): HeldServer | null {
    if (this.#held.get(held.server) !== held) return null;
    this.#held.delete(held.server);
    this.#options.count(held.server, -1);
    return held;
  }

  #sweepLater(): void {
    this.#stopSweep(); // the last one may have ended, and another begun, before it was due
    this.#stopSweep = this.#options.clock.after(SWEEP_MS, () => {
      for (const held of this.all) {
        if (held.idleMs < this.#idleLimitMs(held.server)) continue;
        this.#drop(held)?.backend.close('idle');
        this.#options.onOver(held);
      }
      if (this.#held.size > 0) this.#sweepLater();
    });
  }

  #idleLimitMs(server: string): number {
    try {
      return this.#options.router.spec(server).timeouts.sessionIdleMs;
    } catch {
      return 0; // the server is gone
    }
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: Signal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      const message = 'The caller withdrew this call before it was sent.';
      reject(new GantryError('cancelled', message, { cause: signal.reason, detail: { mayHaveRun: false } }));
    };
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
