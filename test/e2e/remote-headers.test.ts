import test from 'ava';
import { api, callTool, compose, expectStatus, type Server, server } from './harness.ts';
import { hostAddress, startRemote } from './mesh-api.ts';
import { makeServer, removeServer, uniqueName, untilReady } from './own-server.ts';
import { until } from './until.ts';

const CANARY = 'canary-b41f-header';

/** Everything that could show it. */
async function everythingShown(name: string): Promise<string> {
  const paths = [
    ...[`/api/v1/servers/${name}`, '/api/v1/servers', `/api/v1/servers/${name}/logs`, '/api/v1/config'],
    ...['/api/v1/mesh/v2/topology', `/api/v1/mesh/v2/discover/${name}`, '/metrics'],
  ];
  const answers = await Promise.all(paths.map((path) => api('GET', path)));
  const log = await compose('logs', '--no-color', 'orchestrator');
  return [...answers.map(({ text }) => text), log].join('\n');
}

test('a server elsewhere that wants a header says so without it and works with it, and nothing ever shows it', async (t) => {
  const remote = await startRemote(t, { host: '0.0.0.0', name: 'guarded', wants: `Bearer ${CANARY}` });
  const name = await makeServer(t, 'guarded', { url: remote.url(await hostAddress()) });
  await until('it says what is wrong', async () =>
    /refuses Gantry \(HTTP 401\)/.test((await server(name)).reason?.message ?? ''),
  );
  const patch = await api('PATCH', `/api/v1/servers/${name}`, {
    body: { headers: { Authorization: `Bearer ${CANARY}`, 'X-Zone': 'eu' } },
  });
  t.is(patch.status, 202, patch.text);
  t.like(JSON.parse(patch.text), { headerKeys: ['authorization', 'x-zone'] });
  t.notRegex(patch.text, new RegExp(CANARY));
  await untilReady(name);
  t.is(await callTool(name, 'whoami'), 'guarded');
  const { headers } = remote.heard.at(-1) ?? {};
  t.like(headers, { authorization: `Bearer ${CANARY}`, 'x-zone': 'eu' });
  const shown = await everythingShown(name);
  t.true(shown.includes(name));
  t.false(shown.includes(CANARY));

  const wrong = await api('PATCH', `/api/v1/servers/${name}`, {
    body: { headers: { Host: CANARY, 'X-Zone': `${CANARY}\n` } },
  });
  t.is(wrong.status, 422);
  t.regex(wrong.text, /headers\.Host.*belongs to the connection or to MCP/);
  t.regex(wrong.text, /headers\.X-Zone.*must be one line of ASCII/);
  t.false(wrong.text.includes(CANARY));
});

test('an mcp.json with a server elsewhere and its headers becomes a server that works', async (t) => {
  const remote = await startRemote(t, { name: 'from an editor', wants: `Bearer ${CANARY}` });
  const name = uniqueName('editor');
  t.teardown(() => removeServer(name));
  const body = {
    servers: {
      [name]: {
        type: 'http',
        url: remote.url(await hostAddress()),
        // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write inputs like this
        headers: { Authorization: 'Bearer ${input:key}' },
      },
    },
    inputs: [{ type: 'promptString', id: 'key', description: 'A key', password: true }],
    answers: { key: CANARY },
  };
  const made = api('POST', '/api/v1/servers', { body });
  t.like(await expectStatus<Server>(202, made), { name, headerKeys: ['authorization'] });
  t.false((await made).text.includes(CANARY));
  await untilReady(name);
  t.is(await callTool(name, 'whoami'), 'from an editor');
});
