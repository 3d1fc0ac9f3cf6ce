import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { request } from 'undici';
import { createApp, type HttpOptions, listen, type SERVER_LIMITS } from '../../orchestrator/http/index.ts';
import { fakeControls } from '../fakes/controls.ts';

async function start(overrides: Partial<HttpOptions> = {}, limits: Partial<typeof SERVER_LIMITS> = {}) {
  return listen(createApp(fakeControls(overrides)), { host: '127.0.0.1', port: 0, limits });
}

test('closing waits for the answer in flight and takes nothing new', async (t) => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const server = await start({
    health: {
      check: async () => {
        asked.resolve();
        await answer.promise;
        return { engine: 'ok', redis: 'ok' };
      },
    },
  });
  const inFlight = request(`${server.url}/readyz`);
  await asked.promise;
  const closed = server.close(10_000);
  await t.throwsAsync(request(`${server.url}/healthz`), { code: 'ECONNREFUSED' });
  answer.resolve();
  const { statusCode, headers, body } = await inFlight;
  t.deepEqual([statusCode, headers.connection], [200, 'close']);
  await body.dump();
  await closed;
});

test('closing cuts what does not end within the drain', async (t) => {
  const asked = Promise.withResolvers<void>();
  const server = await start({
    mcp: () => {
      asked.resolve();
      return new Promise(() => {});
    },
  });
  const inFlight = t.throwsAsync(request(`${server.url}/mcp/x`, { method: 'DELETE' }));
  await asked.promise;
  await server.close(10);
  await inFlight;
});

test('a slow request is cut off, a slow answer is not', async (t) => {
  const server = await start(
    {
      mcp: async ({ res }) => {
        res.writeHead(200, { 'Content-Type': 'text/event-stream' });
        res.write(': begun\n\n');
        // Time itself is the subject: longer than every limit below.
        await delay(3000);
        res.end('data: late\n\n');
      },
    },
    // Long enough for a good request of a loaded machine.
    { headersTimeout: 1000, requestTimeout: 1500, connectionsCheckingInterval: 100 },
  );
  t.teardown(() => server.close(0));
  const slow = connect(server.port, '127.0.0.1');
  slow.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
  slow.on('error', () => {}); // a reset is one way to be cut off, and comes before the close
  const cutOff = new Promise((resolve) => slow.once('close', resolve));
  let told = '';
  slow.on('data', (data) => {
    told += data;
  });
  const answer = await request(`${server.url}/mcp/x`);
  await cutOff;
  t.regex(told, /^HTTP\/1\.1 408 /);
  t.is(await answer.body.text(), ': begun\n\ndata: late\n\n');
});

test('headers over the limit are refused', async (t) => {
  const server = await start();
  t.teardown(() => server.close(0));
  const answer = await request(`${server.url}/healthz`, { headers: { 'x-large': 'x'.repeat(20_000) } });
  t.is(answer.statusCode, 431);
  await answer.body.dump();
});

test('a port that is taken is an error of the caller', async (t) => {
  const server = await start();
  t.teardown(() => server.close(0));
  await t.throwsAsync(listen(createApp(fakeControls()), { host: '127.0.0.1', port: server.port }), {
    code: 'EADDRINUSE',
  });
});

test('an idle connection is kept for longer than the 60 s after which proxies let go of one', async (t) => {
  const server = await start();
  t.teardown(() => server.close(0));
  const { headers, body } = await request(`${server.url}/healthz`);
  await body.dump();
  const keptSeconds = Number(/^timeout=(\d+)$/.exec(String(headers['keep-alive']))?.[1]);
  t.true(keptSeconds > 60, `it is kept for ${keptSeconds} s`);
});
