import { connect, type Socket } from 'node:net';

const EVERY_MS = 1000;

/** A connection that takes one byte a second out of its socket, up to eight; the rest waits in front of it. */
export class SlowReader {
  readonly socket: Socket;
  text = '';

  constructor(port: number) {
    const buffer = Buffer.alloc(1);
    this.socket = connect({
      port,
      host: '127.0.0.1',
      // Read into one byte of our own: Node would take 64 KiB at once.
      onread: {
        buffer,
        callback: (_length, read) => {
          this.text += String.fromCharCode(read[0] ?? 0);
          if (this.text.length < 8) setTimeout(() => this.socket.resume(), EVERY_MS);
          return false;
        },
      },
    });
  }
}
