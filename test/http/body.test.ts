import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { request } from 'undici';
import { createApp, listen, readJson } from '../../orchestrator/http/index.ts';
import { fakeControls } from '../fakes/controls.ts';
import { startApp } from './ask.ts';

const TOOL = '/api/v1/servers/everything/tools/echo';
const JSON_TYPE = { 'content-type': 'application/json' };

function nested(levels: number): string {
  return `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
}

const refused: readonly (readonly [string, string | Buffer, Record<string, string>, number, string])[] = [
  ['not JSON', '{"a":', JSON_TYPE, 400, 'parse_error'],
  ['no text at all', ' ', JSON_TYPE, 400, 'parse_error'],
  ['broken UTF-8', Buffer.from([0x22, 0xff, 0x22]), JSON_TYPE, 400, 'parse_error'],
  ['65 levels', nested(65), JSON_TYPE, 400, 'invalid_request'],
  ['brackets only', '['.repeat(5_000), JSON_TYPE, 400, 'invalid_request'],
  ['a member twice', '{"a":1,"a":2}', JSON_TYPE, 400, 'invalid_request'],
  ['a __proto__ key', '{"a":{"__proto__":{"b":1}}}', JSON_TYPE, 400, 'invalid_request'],
  ['an escaped __proto__ key', '{"a":[{"\\u005f_proto__":1}]}', JSON_TYPE, 400, 'invalid_request'],
  ['an array where an object belongs', '[]', JSON_TYPE, 400, 'invalid_request'],
  ['a form', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'unsupported_media_type'],
  ['no content type', '{}', {}, 415, 'unsupported_media_type'],
  [
    'another charset',
    '{}',
    { 'content-type': 'application/json; charset=latin1' },
    415,
    'unsupported_media_type',
  ],
  ['gzip', gzipSync('{}'), { ...JSON_TYPE, 'content-encoding': 'gzip' }, 415, 'unsupported_media_type'],
];

for (const [what, body, headers, status, code] of refused) {
  test(`a body with ${what} is refused with ${status}`, async (t) => {
    const { url } = await startApp(t);
    const answer = await request(url + TOOL, { method: 'POST', headers, body });
    const { error } = (await answer.body.json()) as { error: { code: string; message: string } };
    t.deepEqual([answer.statusCode, error.code], [status, code]);
  });
}

test('64 levels, a charset of UTF-8 and no body at all are fine', async (t) => {
  const { url } = await startApp(t);
  const post = async (headers: Record<string, string>, body?: string) =>
    (await request(url + TOOL, { method: 'POST', headers, ...(body === undefined ? {} : { body }) }))
      .statusCode;
  t.is(await post(JSON_TYPE, nested(64)), 200);
  t.is(await post({ 'content-type': 'application/json; charset=UTF-8' }, '{}'), 200);
  t.is(await post({}), 200);
});

test('a parse error never quotes the body', async (t) => {
  const { ask } = await startApp(t);
  const asked = await ask('POST', TOOL, { text: '{"password": hunter2secret}' });
  t.is(asked.json.error.code, 'parse_error');
  t.false(asked.text.includes('hunter'));
});

test('a Content-Length over the limit is answered before any of the body is sent', async (t) => {
  const { port } = await startApp(t);
  const answer = await rawAnswer(port, [
    `POST ${TOOL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n`,
  ]);
  t.regex(answer, /^HTTP\/1\.1 413 /);
  t.regex(answer, /\r\nConnection: close\r\n/i);
  t.regex(answer, /"code":"body_too_large"/);
});

test('"Expect: 100-continue" is answered with 413 instead of a go-ahead', async (t) => {
  const { port } = await startApp(t);
  const head = `POST ${TOOL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n`;
  t.regex(await rawAnswer(port, [`${head}Content-Length: 10000000\r\n\r\n`]), /^HTTP\/1\.1 413 /);
  const fine = await rawAnswer(port, [`${head}Connection: close\r\nContent-Length: 2\r\n\r\n`, '{}']);
  t.regex(fine, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
});

test('a chunked body that never ends is cut with 413, also on an MCP route', async (t) => {
  const { port } = await startApp(t, {
    mcp: async (request) => {
      await readJson(request, { maxBytes: 64 * 1024 });
    },
  });
  for (const path of [TOOL, '/mcp/everything']) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}); // a reset after the answer is what sending on for ever earns
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const sending = setInterval(() => socket.write(chunk), 2);
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    await once(socket, 'close');
    clearInterval(sending);
    t.regex(answer, /^HTTP\/1\.1 413 /);
    t.regex(answer, /body_too_large/);
  }
});

test('the first oversized bytes are enough: the answer does not wait for more', async (t) => {
  const { url } = await startApp(t);
  async function* endless() {
    for (;;) yield Buffer.alloc(32 * 1024, 0x20);
  }
  const answer = await request(url + TOOL, { method: 'POST', headers: JSON_TYPE, body: endless() as never });
  t.is(answer.statusCode, 413);
  await answer.body.dump();
});

test('a body that stops arriving is given up', async (t) => {
  const app = createApp(
    fakeControls({
      mcp: async (request) => {
        await readJson(request, { maxBytes: 1_000, idleMs: 30 });
      },
    }),
  );
  const server = await listen(app, { host: '127.0.0.1', port: 0 });
  t.teardown(() => server.close(0));
  const answer = await rawAnswer(server.port, [
    'POST /mcp/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"a"',
  ]);
  t.regex(answer, /^HTTP\/1\.1 400 /);
  t.regex(answer, /stopped arriving/);
});

/** Sends the parts, each after something came back for the one before, and reads until the server hangs up. */
async function rawAnswer(port: number, parts: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const waiting = [...parts];
  socket.write(waiting.shift() ?? '');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
    const next = waiting.shift();
    if (next !== undefined) socket.write(next);
  });
  await once(socket, 'close');
  return answer;
}
