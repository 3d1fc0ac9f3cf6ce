import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { call, reload, waitForServers } from '../../scripts/setup/api.mjs';

const FAST = { say() {}, pollMs: 1, timeoutMs: 5_000 };

/** An orchestrator that gives these answers, one after the other, and then the last one for ever. */
async function answering(t: ExecutionContext, ...bodies: unknown[]): Promise<{ url: string }> {
  let at = 0;
  const server = createServer((_, response) => {
    response.end(JSON.stringify(bodies[Math.min(at++, bodies.length - 1)]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function servers(...states: [name: string, state: string, reason?: string][]) {
  return {
    servers: states.map(([name, state, code]) => ({
      name,
      state,
      reason: code === undefined ? null : { code, message: 'why', stderr: [] },
    })),
  };
}

test('servers need not be settled at the same moment: one that failed is tried again while others install', async (t) => {
  const stack = await answering(
    t,
    servers(['good', 'starting'], ['bad', 'failed', 'exited']),
    servers(['good', 'ready'], ['bad', 'starting']),
  );
  const found = await waitForServers(stack, { ...FAST, onChange() {} });
  t.deepEqual(
    found.map(({ name, state, reason }) => [name, state, reason?.code]),
    [
      ['good', 'ready', undefined],
      ['bad', 'failed', 'exited'],
    ],
  );
});

test('a server that failed first and is ready in the end is shown as ready', async (t) => {
  const stack = await answering(
    t,
    servers(['slow', 'starting'], ['late', 'failed', 'exited']),
    servers(['slow', 'ready'], ['late', 'ready']),
  );
  const found = await waitForServers(stack, { ...FAST, onChange() {} });
  t.deepEqual(
    found.map(({ state }: { state: string }) => state),
    ['ready', 'ready'],
  );
});

test('a reload tells what changed, and whether the settings need a new start', async (t) => {
  const nothing = { added: [], changed: [], removed: [], settingsChanged: false };
  const same = await reload(await answering(t, nothing));
  t.deepEqual(same, { text: 'nothing to change', settingsChanged: false });
  const both = await reload(await answering(t, { ...nothing, added: ['x', 'y'], settingsChanged: true }));
  t.deepEqual(both, { text: 'added x, y; settings changed', settingsChanged: true });
});

test('a connection that is closed at once, as the port of a starting container does, is no answer', async (t) => {
  const closing = createTcpServer((connection) => connection.end());
  await new Promise<void>((resolve) => closing.listen(0, '127.0.0.1', resolve));
  t.teardown(() => closing.close());
  const url = `http://127.0.0.1:${(closing.address() as AddressInfo).port}`;
  t.deepEqual(await call({ url }, 'GET', '/readyz'), { status: 0, body: null });
});

test('an answer that breaks off is no answer, and one that is not JSON has no body', async (t) => {
  const broken = createServer((request, response) => {
    if (request.url === '/text') return response.end('hello');
    response.writeHead(200, { 'content-length': 100 }).write('{');
    response.destroy();
  });
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
  t.teardown(() => broken.close());
  const url = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`;
  t.deepEqual(await call({ url }, 'GET', '/broken'), { status: 0, body: null });
  t.deepEqual(await call({ url }, 'GET', '/text'), { status: 200, body: null });
});
