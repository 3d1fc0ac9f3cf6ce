import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What a connection suffers, in both directions. */
export type Toxic = {
  /** Everything arrives so much later. */
  readonly latencyMs?: number;
  /** No piece is larger; TCP promises nothing about pieces, so nobody may rely on them. */
  readonly sliceBytes?: number;
  /** Nothing passes any more, and nobody is told: as when a cable is pulled. */
  readonly blackhole?: boolean;
  /** The end of a connection is passed on so much later. */
  readonly slowCloseMs?: number;
};

/** Stands between two real parts of the mesh and does to their connection what networks do. */
export class ChaosProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #toxic: Toxic = {};
  #refusing = false;
  #accepted = 0;
  #swallowedBytes = 0;

  private constructor(target: { host: string; port: number }) {
    this.#server = createServer({ allowHalfOpen: true }, (near) => {
      if (this.#refusing) return near.resetAndDestroy();
      this.#accepted++;
      const far = connect({ ...target, allowHalfOpen: true });
      for (const socket of [near, far]) {
        socket.setNoDelay(true);
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
      }
      // Whoever breaks off breaks off for the other too.
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
      near.on('close', (hadError) => hadError && far.destroy());
      far.on('close', (hadError) => hadError && near.destroy());
      void this.#pump(near, far);
      void this.#pump(far, near);
    });
  }

  static async start(target: { host: string; port: number }, listenHost = '127.0.0.1'): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(target);
    proxy.#server.listen(0, listenHost);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  /** What a blackhole has taken so far. */
  get swallowedBytes(): number {
    return this.#swallowedBytes;
  }

  /** From now on, for present connections too. */
  suffer(toxic: Toxic): void {
    this.#toxic = toxic;
  }

  /** Every connection is reset: both ends get an RST. */
  resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** New connections are reset at once. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.resetAll();
    await once(this.#server, 'close');
  }

  async #pump(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from) await this.#pass(chunk as Buffer, to);
      const { slowCloseMs = 0 } = this.#toxic;
      if (slowCloseMs > 0) await delay(slowCloseMs);
      if (!this.#toxic.blackhole) to.end();
    } catch {
      // One of the two is gone, and the listeners above end the other.
    }
  }

  async #pass(chunk: Buffer, to: Socket): Promise<void> {
    const { latencyMs = 0, sliceBytes = chunk.length, blackhole = false } = this.#toxic;
    if (blackhole) {
      this.#swallowedBytes += chunk.length;
      return;
    }
    if (latencyMs > 0) await delay(latencyMs);
    for (let start = 0; start < chunk.length; start += sliceBytes) {
      const drained = to.write(chunk.subarray(start, start + sliceBytes));
      if (!drained) await once(to, 'drain');
      // A turn between two pieces, or the kernel would join them again.
      if (sliceBytes < chunk.length) await delay(0);
    }
  }
}
