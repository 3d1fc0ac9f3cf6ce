import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { ChaosProxy } from './chaos-proxy.ts';

/** A server that sends back what it gets, behind a proxy. */
async function start(t: ExecutionContext) {
  const ends: Promise<string>[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    ends.push(endOf(socket));
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('end', () => socket.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await ChaosProxy.start({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  t.teardown(async () => {
    await proxy.close();
    server.close();
  });
  const open = async (): Promise<Socket> => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    t.teardown(() => void socket.destroy());
    return socket;
  };
  return { proxy, open, ends };
}

/** How a connection ended, in one word. */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
  });
}

async function echoOf(socket: Socket, text: string): Promise<readonly number[]> {
  const sizes: number[] = [];
  let got = '';
  socket.write(text);
  while (got.length < text.length) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    sizes.push(chunk.length);
    got += chunk.toString();
  }
  if (got !== text) throw new Error('the echo is another text');
  return sizes;
}

test('what is not disturbed passes unchanged, both ways, to its end', async (t) => {
  const { open } = await start(t);
  const socket = await open();
  await echoOf(socket, 'x'.repeat(300_000));
  const ended = endOf(socket);
  socket.end();
  t.is(await ended, 'end');
});

test('pieces are no larger than they may be, and nothing of them is lost', async (t) => {
  const { proxy, open } = await start(t);
  proxy.suffer({ sliceBytes: 3 });
  const sizes = await echoOf(await open(), 'a line that is cut into pieces\n');
  t.true(sizes.length > 1);
});

test('a reset reaches both ends as a reset', async (t) => {
  const { proxy, open, ends } = await start(t);
  const socket = await open();
  await echoOf(socket, 'here');
  const ended = endOf(socket);
  proxy.resetAll();
  t.is(await ended, 'ECONNRESET');
  t.is(await ends[0], 'ECONNRESET');
});

test('in a blackhole nothing passes and nothing ends, until it is over', async (t) => {
  const { proxy, open } = await start(t);
  const socket = await open();
  await echoOf(socket, 'before');
  let heard = '';
  socket.on('data', (chunk: Buffer) => {
    heard += chunk;
  });
  proxy.suffer({ blackhole: true });
  socket.write('lost');
  while (proxy.swallowedBytes < 'lost'.length) await new Promise((resolve) => setImmediate(resolve));
  proxy.suffer({});
  socket.write('after');
  while (heard.length < 'after'.length) await once(socket, 'data');
  t.is(heard, 'after');
});

test('refused connections are reset, later ones served again', async (t) => {
  const { proxy, open } = await start(t);
  proxy.refuse(true);
  const refused = connect({ port: proxy.port, host: '127.0.0.1' });
  t.is(await endOf(refused), 'ECONNRESET');
  proxy.refuse(false);
  await echoOf(await open(), 'served');
  t.is(proxy.accepted, 1);
});

test('latency keeps everything back for its time', async (t) => {
  const { proxy, open } = await start(t);
  const socket = await open();
  proxy.suffer({ latencyMs: 200 });
  const begun = performance.now();
  await echoOf(socket, 'hello');
  // A timer of Node counts whole milliseconds, so it may be early by a part of one.
  t.true(performance.now() - begun >= 2 * 199, 'there and back');
});

test('a slow close is passed on late, and what was sent before it at once', async (t) => {
  const { proxy, open, ends } = await start(t);
  const socket = await open();
  proxy.suffer({ slowCloseMs: 1000 });
  const begun = performance.now();
  await echoOf(socket, 'hello');
  t.true(performance.now() - begun < 1000);
  const ended = performance.now();
  socket.end();
  t.is(await ends[0], 'end');
  t.true(performance.now() - ended >= 999);
});
