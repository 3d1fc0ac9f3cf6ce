import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../../kernel/index.ts';
import { HELLO_BYTES, type Hello, readHello } from './hello.ts';

/** The socket's name in a replica's directory. */
const SOCKET_NAME = 'socket';
/** Whoever connects has its proof ready. */
const HELLO_MS = 5000;
/** Connections that may be about to prove themselves: one is needed, and a process inside may make others. */
const MAX_UNPROVEN = 8;

export type DoorwayOptions = {
  readonly directory: string;
  readonly secret: Buffer;
  readonly clock: Clock;
  readonly onProven: (socket: Socket, hello: Hello) => void;
};

/**
 * Where one replica connects to. Open until somebody has proven to be the bridge, and closed from then on: the server,
 * which is started only afterwards, finds nothing to connect to. What cannot prove it is hung up on.
 */
export class Doorway {
  readonly #options: DoorwayOptions;
  readonly #server: Server;
  readonly #unproven = new Set<Socket>();

  private constructor(options: DoorwayOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#ask(socket));
  }

  /** Listens. A socket that an earlier process left behind is replaced. @throws a plain file system error */
  static async open(options: DoorwayOptions): Promise<Doorway> {
    const doorway = new Doorway(options);
    const path = join(options.directory, SOCKET_NAME);
    await rm(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      doorway.#server.once('error', reject);
      // Who may connect is settled by the directory: each replica sees its own alone.
      doorway.#server.listen({ path, readableAll: true, writableAll: true }, resolve);
    });
    return doorway;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#unproven) socket.destroy();
    this.#unproven.clear();
  }

  #ask(socket: Socket): void {
    const { clock, secret, onProven } = this.#options;
    let said: Buffer = Buffer.alloc(0);
    this.#unproven.add(socket);
    const [oldest] = this.#unproven;
    if (this.#unproven.size > MAX_UNPROVEN) oldest?.destroy();
    const cancelTimer = clock.after(HELLO_MS, () => socket.destroy());
    const take = (bytes: Buffer): void => {
      said = Buffer.concat([said, bytes]);
      if (said.length < HELLO_BYTES) return;
      const hello = readHello(said, secret);
      if (hello === null) return void socket.destroy();
      leave();
      this.close();
      onProven(socket, hello);
    };
    const leave = (): void => {
      cancelTimer();
      this.#unproven.delete(socket);
      socket.off('data', take).off('close', leave);
    };
    socket.on('data', take).on('close', leave);
    socket.on('error', () => socket.destroy());
  }
}
