import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { FRAME, HEADER_BYTES, welcomeFrame } from '../../orchestrator/channel/socket/frames.ts';
import { HELLO_BYTES, type Hello, readHello } from '../../orchestrator/channel/socket/hello.ts';

/** An owner that a bridge has found, byte by byte: what it says can be cut and bent at will. */
export type RawOwner = {
  readonly hello: Hello;
  readonly socket: Socket;
  /** Output that came, as far as it came in whole frames. */
  readonly output: () => string;
};

/** Waits for the bridge and welcomes it. Nobody listens afterwards. @throws Error where it is not the one */
export async function rawOwner(
  { directory, secret }: { readonly directory: string; readonly secret: Buffer },
  leaseMs = 5000,
): Promise<RawOwner> {
  const path = join(directory, 'socket');
  await rm(path, { force: true });
  const server = createServer().listen(path);
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  let said = Buffer.alloc(0);
  const heard = Promise.withResolvers<void>();
  socket.on('error', () => {}); // a bridge that hangs up on nonsense
  socket.on('data', (bytes) => {
    said = Buffer.concat([said, bytes]);
    if (said.length >= HELLO_BYTES) heard.resolve();
  });
  await heard.promise;
  const hello = readHello(Buffer.from(said.subarray(0, HELLO_BYTES)), secret);
  if (hello === null) throw new Error(`no hello: ${said.toString('hex')}`);
  const welcome = {
    leaseMs,
    keepBytes: 1024 * 1024,
    keepLineBytes: 4 * 1024 * 1024,
    outputFrom: hello.outputFirst,
  };
  socket.write(welcomeFrame(welcome));
  return { hello, socket, output: () => outputOf(said.subarray(HELLO_BYTES)) };
}

function outputOf(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const end = at + HEADER_BYTES + bytes.readUInt32BE(at + 4);
    if (bytes[at] === FRAME.output) text += bytes.subarray(at + HEADER_BYTES, end).toString('utf8');
    at = end;
  }
  return text;
}
