import test from 'ava';
import { NOT_JSON, NOT_JSON_RPC } from './bad-bodies.ts';
import { CHANNELS, reachedOver } from './channels.ts';
import { server, textOf } from './harness.ts';
import { lastMessage, openSession, toolCall } from './mcp-session.ts';
import { modernBody } from './modern-client.ts';
import { readyServer, untilReady } from './own-server.ts';
import { until } from './until.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** The message, its params and the arguments are three levels around the arrays. */
const nestedCall = (levels: number): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":${'['.repeat(levels - 3)}${']'.repeat(levels - 3)}}}}`;

const REFUSED_BODIES: readonly unknown[] = [
  ...NOT_JSON,
  ...NOT_JSON_RPC.map(([, value]) => JSON.stringify(value)),
  '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}',
  '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}',
  '{"jsonrpc":"2.0","id":null,"method":"ping"}',
  Buffer.from('{"jsonrpc":"2.0","id":1,"method":"\xff"}', 'latin1'),
  Buffer.alloc(MAX_BODY_BYTES + 1, ' '),
  nestedCall(65),
  nestedCall(100_000),
];
const REFUSED_HEADERS: readonly Record<string, string>[] = [
  { 'content-type': 'text/plain' },
  { 'content-encoding': 'gzip' },
  { accept: 'text/html' },
  { origin: 'https://evil.example' },
  { host: 'evil.example' },
  { 'mcp-protocol-version': '1999-01-01' },
  { 'mcp-session-id': 'of-nobody' },
];
/** As odd as ids may be. */
const IDS = [
  '',
  0,
  -1,
  1,
  '1',
  Number.MAX_SAFE_INTEGER,
  '__proto__',
  '\u0000 grüße 世界',
  'x'.repeat(10_000),
];

test.before(async (t) => {
  t.timeout(300_000);
  await untilReady('plain', 290_000);
});

// The rest of the bad input (bad-input-http.test.ts) ends before there is a channel: the first test here shows it.
for (const { channel, entry } of CHANNELS) {
  test(`of what is refused not one line reaches the server, and the session goes on (${channel})`, async (t) => {
    const name = await readyServer(t, 'heard.py', { ...entry, health: { intervalMs: 0 } });
    const session = await openSession(t, name);
    t.is(await reachedOver(t, name, channel), 2);
    const linesRead = async (id: string): Promise<number> =>
      Number(textOf((await session.call(id, 'lines_read')).result));
    const before = await linesRead('before');
    for (const body of REFUSED_BODIES) {
      const { status } = await session.post(body);
      t.true(status === 400 || status === 413, `${status}: ${String(body).slice(0, 100)}`);
    }
    for (const headers of REFUSED_HEADERS) {
      const { status } = await session.post(toolCall('refused', 'echo'), headers);
      t.true(status >= 400 && status < 500, `${status}: ${JSON.stringify(headers)}`);
    }
    // Of the other era: what it says of its client is not in the headers, or not at all.
    for (const body of [modernBody('tools/list'), { jsonrpc: '2.0', id: 1, method: 'tools/list' }]) {
      t.is((await session.post(body, { 'mcp-protocol-version': '2026-07-28' })).status, 400);
    }
    const slow = session.call('twice', 'sleep', { ms: 5000 });
    await until('it runs', async () => (await server(name)).callsInFlight === 1);
    t.is((await session.post(toolCall('twice', 'echo'))).status, 400, 'its id is in use');
    t.is(textOf((await slow).result), 'slept');
    t.is(await linesRead('after'), before + 2);
  });

  test(`what is just allowed reaches the server whole, and its answers come back under any id (${channel})`, async (t) => {
    const name = await readyServer(t, 'heard.py', entry);
    const session = await openSession(t, name);
    t.is(await reachedOver(t, name, channel), 2);
    const text = 'x'.repeat(MAX_BODY_BYTES - 1024);
    const large = await session.call(1, 'echo', { text });
    t.true(textOf(large.result) === text);
    t.is((await session.post(nestedCall(64))).status, 200);
    for (const id of IDS) {
      const answer = await session.call(id, 'echo', { text: 'under its own id' });
      t.is(answer.id, id);
      t.is(textOf(answer.result), 'under its own id');
    }
    // The server's to refuse, and no 404: that would end the session.
    const unknown = await session.post({ jsonrpc: '2.0', id: 1, method: 'no/such/method' });
    t.is(unknown.status, 200);
    t.is(lastMessage(unknown).error?.code, -32601);
  });
}
