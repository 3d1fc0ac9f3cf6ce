import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { startApp } from './ask.ts';

const refusedHosts = [
  'evil.com',
  'localhost.evil.com',
  'localhost@evil.com',
  'a@localhost',
  '127.0.0.1.evil.com',
  '[::2]',
  '127.0.0.2',
  'localhost:80:80',
  'localhost:port',
];
const servedHosts = [
  'localhost',
  'LOCALHOST:1',
  'localhost:7400',
  '127.0.0.1',
  '127.0.0.1:7400',
  '[::1]',
  '[::1]:7400',
];

for (const host of refusedHosts) {
  test(`Host "${host}" is refused`, async (t) => {
    const { ask } = await startApp(t);
    const asked = await ask('GET', '/api/v1/servers', { headers: { host } });
    t.is(asked.status, 403);
    t.is(asked.json.error.code, 'host_forbidden');
  });
}

for (const host of servedHosts) {
  test(`Host "${host}" is served`, async (t) => {
    const { ask } = await startApp(t);
    t.is((await ask('GET', '/api/v1/servers', { headers: { host } })).status, 200);
  });
}

for (const head of [
  'GET /healthz HTTP/1.0',
  'GET /healthz HTTP/1.1\r\nHost:',
  'GET http://evil.com/healthz HTTP/1.1\r\nHost: evil.com',
]) {
  test(`${JSON.stringify(head)} is refused`, async (t) => {
    const { port } = await startApp(t);
    const socket = connect(port, '127.0.0.1');
    socket.write(`${head}\r\nConnection: close\r\n\r\n`);
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    await once(socket, 'close');
    t.regex(answer, /^HTTP\/1\.1 403 [\s\S]*host_forbidden/);
  });
}

const refusedOrigins = [
  'null',
  '',
  'http://evil.com',
  'http://localhost.evil.com',
  'http://localhost@evil.com',
  'http://evil.com:80@localhost:x',
  'http://127.0.0.1.evil.com',
  'https://evil.com/localhost',
  'localhost',
  'file://localhost',
  'http://localhost, http://evil.com',
];
const servedOrigins = ['http://localhost', 'http://localhost:5173', 'https://127.0.0.1', 'http://[::1]:6274'];

for (const origin of refusedOrigins) {
  test(`Origin "${origin}" is refused, on MCP routes too`, async (t) => {
    const { ask } = await startApp(t);
    const asked = await ask('GET', '/api/v1/servers', { headers: { origin } });
    t.is(asked.status, 403);
    t.is(asked.json.error.code, 'origin_forbidden');
    const mcp = await ask('POST', '/mcp/everything', { headers: { origin }, body: {} });
    t.is(mcp.status, 403);
    t.deepEqual(
      [mcp.json.id, mcp.json.error.code, mcp.json.error.data.code],
      [null, -32000, 'origin_forbidden'],
    );
  });
}

for (const origin of servedOrigins) {
  test(`Origin "${origin}" is served`, async (t) => {
    const { ask } = await startApp(t);
    t.is((await ask('GET', '/api/v1/servers', { headers: { origin } })).status, 200);
  });
}

test('listed hosts and origins are served, and only those', async (t) => {
  const { ask } = await startApp(t, {
    allowedHosts: ['Gantry.example', 'one.example:8080'],
    allowedOrigins: ['https://tools.example'],
  });
  const status = async (headers: Record<string, string>) =>
    (await ask('GET', '/healthz', { headers })).status;
  t.is(await status({ host: 'gantry.example:443' }), 200);
  t.is(await status({ host: 'one.example:8080' }), 200);
  t.is(await status({ host: 'one.example:8081' }), 403);
  t.is(await status({ origin: 'https://tools.example' }), 200);
  t.is(await status({ origin: 'http://tools.example' }), 403);
  t.is(await status({ origin: 'https://tools.example.evil.com' }), 403);
});

test('forwarded headers are not believed', async (t) => {
  const { ask } = await startApp(t);
  const asked = await ask('GET', '/healthz', {
    headers: { host: 'evil.com', 'x-forwarded-host': 'localhost' },
  });
  t.is(asked.status, 403);
});
