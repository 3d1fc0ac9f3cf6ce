import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { attach } from '../../../orchestrator/engine/docker/attach.ts';
import { DockerConnection } from '../../../orchestrator/engine/docker/connection.ts';
import { EngineError } from '../../../orchestrator/engine/index.ts';
import { socketPathOf } from './socket-path.ts';

function frame(type: number, text: string): Buffer {
  const header = Buffer.from([type, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

const SWITCH =
  'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n' +
  'Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

type Upgrade = { readonly request: IncomingMessage; readonly socket: Socket };

/** A daemon that answers `/version` and leaves the attach request to the test. */
async function daemon(t: ExecutionContext, onUpgrade: (upgrade: Upgrade) => void) {
  const server: Server = createServer((request, response) => {
    if (request.url === '/version') response.end('{"ApiVersion":"1.45","MinAPIVersion":"1.24"}');
    else response.writeHead(404).end('{"message":"No such container"}');
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  server.on('upgrade', (request, socket) => onUpgrade({ request, socket: socket as Socket }));
  const socketPath = socketPathOf(t);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new DockerConnection({ socketPath });
}

test('the request carries its options in the query and no body at all', async (t) => {
  const seen = Promise.withResolvers<IncomingMessage>();
  const input = Promise.withResolvers<string>();
  const connection = await daemon(t, ({ request, socket }) => {
    seen.resolve(request);
    socket.write(SWITCH);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes;
    });
    socket.on('end', () => input.resolve(text));
  });
  const attachment = await attach(connection, 'abc');
  const request = await seen.promise;
  t.is(request.method, 'POST');
  t.is(request.url, '/v1.44/containers/abc/attach?stream=1&stdin=1&stdout=1&stderr=1');
  t.is(request.headers['content-length'], '0');
  await attachment.write('first\n');
  attachment.end();
  t.is(await input.promise, 'first\n');
});

test('output that comes in one packet with the 101 is not lost', async (t) => {
  const connection = await daemon(t, ({ socket }) => {
    socket.end(Buffer.concat([Buffer.from(SWITCH), frame(1, 'early'), frame(2, 'warning')]));
  });
  const attachment = await attach(connection, 'abc');
  const got: string[] = [];
  attachment.onStdout((bytes) => got.push(`out ${bytes}`));
  attachment.onStderr((bytes) => got.push(`err ${bytes}`));
  t.deepEqual(await attachment.closed, { error: null });
  t.deepEqual(got, ['out early', 'err warning']);
});

test('output still arrives after a half-close', async (t) => {
  const connection = await daemon(t, ({ socket }) => {
    socket.write(SWITCH);
    socket.resume().on('end', () => socket.end(frame(1, 'goodbye')));
  });
  const attachment = await attach(connection, 'abc');
  let got = '';
  attachment.onStdout((bytes) => {
    got += bytes;
  });
  attachment.end();
  await attachment.closed;
  t.is(got, 'goodbye');
});

test('a write waits while the other end does not read, and goes on when it does', async (t) => {
  const upgraded = Promise.withResolvers<Socket>();
  const connection = await daemon(t, ({ socket }) => {
    socket.pause();
    socket.write(SWITCH);
    upgraded.resolve(socket);
  });
  const attachment = await attach(connection, 'abc');
  const socket = await upgraded.promise;
  let done = false;
  const written = attachment.write(Buffer.alloc(4 * 1024 * 1024)).then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.false(done);
  socket.resume();
  await written;
  t.true(done);
});

test('a waiting write is rejected when the attachment ends', async (t) => {
  const connection = await daemon(t, ({ socket }) => {
    socket.pause();
    socket.write(SWITCH);
  });
  const attachment = await attach(connection, 'abc');
  const written = attachment.write(Buffer.alloc(4 * 1024 * 1024));
  attachment.destroy();
  await t.throwsAsync(written, { message: 'stdin is closed' });
  await t.throwsAsync(attachment.write('more'), { message: 'stdin is closed' });
});

test('a stream that is cut inside a frame, malformed or reported broken ends with an error', async (t) => {
  const endings = [
    frame(1, 'half').subarray(0, 10),
    Buffer.from('not a frame at all'),
    frame(3, 'daemon error'),
  ];
  for (const ending of endings) {
    const connection = await daemon(t, ({ socket }) =>
      socket.end(Buffer.concat([Buffer.from(SWITCH), ending])),
    );
    const attachment = await attach(connection, 'abc');
    attachment.onStdout(() => {});
    t.true((await attachment.closed).error instanceof Error);
  }
});

test('a refusal of the upgrade is told by its status', async (t) => {
  for (const [status, code] of [
    [404, 'not_found'],
    [409, 'conflict'],
  ] as const) {
    const connection = await daemon(t, ({ socket }) => {
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    });
    const error = await t.throwsAsync(attach(connection, 'abc'), { instanceOf: EngineError });
    t.is(error?.code, code);
  }
});

test('an engine that hangs up instead of upgrading is unavailable', async (t) => {
  const connection = await daemon(t, ({ socket }) => socket.destroy());
  await t.throwsAsync(attach(connection, 'abc'), { code: 'engine_unavailable' });
});

test('an engine that never upgrades is given up, and an idle attachment never', async (t) => {
  const silent = await daemon(t, () => {});
  await t.throwsAsync(attach(silent, 'abc', 30), { code: 'engine_unavailable' });
  const idle = await daemon(t, ({ socket }) => {
    socket.write(SWITCH);
    // Time itself is the subject: longer than the limit of the upgrade.
    setTimeout(() => socket.end(frame(1, 'late')), 1_200);
  });
  const attachment = await attach(idle, 'abc', 1_000);
  let got = '';
  attachment.onStdout((bytes) => {
    got += bytes;
  });
  t.deepEqual(await attachment.closed, { error: null });
  t.is(got, 'late');
});
