import { once } from 'node:events';
import test from 'ava';
import { request } from 'undici';
import { createServerPortApp, listen } from '../../orchestrator/http/index.ts';
import { GantryError, type LogLine } from '../../orchestrator/kernel/index.ts';
import { CONTAINER_ID, fakeControls, SERVER } from '../fakes/controls.ts';
import { askAt, startApp } from './ask.ts';

const ADMIN = { authorization: 'Bearer admin-token' };

test('a tool is called with a decoded name and answers the exact text of its result', async (t) => {
  const { ask } = await startApp(t);
  const asked = await ask('POST', '/api/v1/servers/everything/tools/a%2Fb', { body: { x: 1 } });
  t.is(asked.text, '{"content":[], "big":12345678901234567890,"tool":"a/b","args":{"x":1}}');
  t.is(asked.headers['content-type'], 'application/json; charset=utf-8');
});

test('a tool call is withdrawn when its caller leaves', async (t) => {
  const begun = Promise.withResolvers<AbortSignal>();
  const controls = fakeControls();
  const { url, facts } = await startApp(t, {
    tools: {
      ...controls.tools,
      call: (_server, _tool, _args, _principal, signal) => {
        begun.resolve(signal);
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(new GantryError('cancelled', 'Gone.'))),
        );
      },
    },
  });
  const leave = new AbortController();
  const asked = request(`${url}/api/v1/servers/everything/tools/echo`, {
    method: 'POST',
    signal: leave.signal,
  });
  const signal = await begun.promise;
  const aborted = once(signal, 'abort');
  leave.abort();
  await t.throwsAsync(asked);
  await aborted;
  t.like(
    facts.find((fact) => fact.type === 'http.request'),
    { status: 499 },
  );
});

test('a made server is answered bare with its Location, several as a list', async (t) => {
  const controls = fakeControls();
  const one = await (await startApp(t)).ask('POST', '/api/v1/servers', {
    headers: ADMIN,
    body: { name: 'everything' },
  });
  t.deepEqual(
    [one.status, one.headers.location, one.json.name],
    [202, '/api/v1/servers/everything', 'everything'],
  );
  const two = await startApp(t, {
    servers: { ...controls.servers, create: async () => [SERVER, { ...SERVER, name: 'b' }] },
  });
  const many = await two.ask('POST', '/api/v1/servers', { headers: ADMIN, body: { mcpServers: {} } });
  t.deepEqual([many.status, many.json.servers.length], [202, 2]);
});

test('problems of a configuration are all in the answer', async (t) => {
  const problems = [{ path: 'servers.x', line: 3, message: 'no' }];
  const controls = fakeControls();
  const { ask } = await startApp(t, {
    servers: {
      ...controls.servers,
      create: () => Promise.reject(new GantryError('invalid_config', 'Not valid.', { detail: { problems } })),
    },
  });
  const asked = await ask('POST', '/api/v1/servers', { headers: ADMIN, body: {} });
  t.deepEqual([asked.status, asked.json.error.detail.problems], [422, problems]);
});

for (const body of [{}, { replicas: -1 }, { replicas: 1.5 }, { replicas: '1' }, { replicas: 1, more: 1 }]) {
  test(`scaling with ${JSON.stringify(body)} is refused and names the field`, async (t) => {
    const { ask } = await startApp(t);
    const asked = await ask('POST', '/api/v1/servers/everything/scale', { headers: ADMIN, body });
    t.deepEqual([asked.status, asked.json.error.code], [400, 'invalid_request']);
    t.regex(asked.json.error.detail.problems[0].path, /^body/);
  });
}

test('PATCH takes a merge patch under both of its types', async (t) => {
  const { ask } = await startApp(t);
  for (const type of ['application/merge-patch+json', 'application/json']) {
    const headers = { ...ADMIN, 'content-type': type };
    t.is((await ask('PATCH', '/api/v1/servers/everything', { headers, body: { replicas: 2 } })).status, 202);
  }
});

test('DELETE answers 204 with no body', async (t) => {
  const { ask } = await startApp(t);
  const asked = await ask('DELETE', '/api/v1/servers/everything', { headers: ADMIN });
  t.deepEqual([asked.status, asked.text, asked.headers['content-type']], [204, '', undefined]);
});

test('logs are plain lines', async (t) => {
  const { ask } = await startApp(t);
  const asked = await ask('GET', `/api/v1/containers/${CONTAINER_ID.slice(0, 12)}/logs`);
  t.deepEqual(
    [asked.status, asked.text, asked.headers['content-type']],
    [200, 'kept\n', 'text/plain; charset=utf-8'],
  );
  t.is((await ask('GET', `/api/v1/containers/${CONTAINER_ID}/logs?follow=yes`)).status, 400);
});

test('followed logs are events, kept lines first, until the output ends', async (t) => {
  const { ask } = await startApp(t);
  const asked = await ask('GET', `/api/v1/containers/${CONTAINER_ID}/logs?follow=1`);
  t.is(asked.headers['content-type'], 'text/event-stream');
  const events = asked.text.split('\n\n').filter((event) => event !== '');
  t.deepEqual(
    events.map((event) => JSON.parse(event.replace('data: ', '')).line),
    ['kept', 'next'],
  );
});

for (const who of ['the client leaves', 'the process begins to close']) {
  test(`following a log ends when ${who}`, async (t) => {
    const following = Promise.withResolvers<AbortSignal>();
    const closing = new AbortController();
    const controls = fakeControls();
    const { url } = await startApp(t, {
      closing: closing.signal,
      containers: {
        ...controls.containers,
        logs: async () => ({
          lines: [],
          async *follow(signal: AbortSignal): AsyncGenerator<LogLine> {
            following.resolve(signal);
            yield { at: '2026-01-01T00:00:00.000Z', line: 'first' };
            await once(signal, 'abort');
            signal.throwIfAborted();
          },
        }),
      },
    });
    const answer = await request(`${url}/api/v1/containers/${CONTAINER_ID}/logs?follow=1`);
    const signal = await following.promise;
    const aborted = signal.aborted ? Promise.resolve() : once(signal, 'abort');
    if (who === 'the client leaves') answer.body.on('error', () => {}).destroy();
    else {
      closing.abort();
      t.is(await answer.body.text(), 'data: {"at":"2026-01-01T00:00:00.000Z","line":"first"}\n\n');
    }
    await aborted;
    t.true(signal.aborted);
  });
}

test('readyz is red when a dependency is, and healthz is not', async (t) => {
  const { ask } = await startApp(t, {
    health: { check: async () => ({ engine: 'ok', redis: 'no answer' }) },
  });
  const ready = await ask('GET', '/readyz');
  t.deepEqual(
    [ready.status, ready.json],
    [503, { status: 'unavailable', checks: { engine: 'ok', redis: 'no answer' } }],
  );
  t.deepEqual((await ask('GET', '/healthz')).json, { status: 'ok' });
});

test('a server port serves that server at /mcp and nothing else', async (t) => {
  const server = await listen(createServerPortApp(fakeControls(), 'clock'), { host: '127.0.0.1', port: 0 });
  t.teardown(() => server.close(0));
  const ask = askAt(server.port);
  t.is((await ask('POST', '/mcp', { body: {} })).json.result.server, 'clock');
  t.is((await ask('GET', '/api/v1/servers')).status, 404);
  for (const headers of [{ host: 'evil.com' }, { origin: 'https://evil.com' }, { origin: 'null' }]) {
    t.is((await ask('POST', '/mcp', { body: {}, headers })).status, 403);
  }
});

test('an MCP answer without a body has none', async (t) => {
  const { ask } = await startApp(t, {
    mcp: async ({ res }) => {
      res.writeHead(202).end();
    },
  });
  const asked = await ask('POST', '/mcp/everything', { body: {} });
  t.deepEqual([asked.status, asked.text], [202, '']);
});
