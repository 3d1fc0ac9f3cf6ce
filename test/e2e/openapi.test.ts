import { Ajv2020 } from 'ajv/dist/2020.js';
import test, { type ExecutionContext } from 'ava';
import { api, expectStatus, type Json, standingContainer } from './harness.ts';
import { initializeRequest, lastMessage, openSession, postMcp, toolCall } from './mcp-session.ts';
import { MESH_CALLS } from './mesh-calls.ts';
import { fixtureEntry, makeServer, readyServer, uniqueName, untilReady } from './own-server.ts';
import type { RawAnswer } from './raw-http.ts';
import { openEvents, openSse } from './sse-stream.ts';
import { TASK_CALLS } from './task-calls.ts';
import { until } from './until.ts';

type Operation = { readonly responses: Record<string, { readonly content?: Record<string, Json> }> };
type Document = {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
};

/** What the calls of one run share: a server of their own, its container, a session. */
type Scene = {
  readonly t: ExecutionContext;
  readonly name: string;
  readonly containerId: () => Promise<string>;
};
type Call = (scene: Scene) => Promise<RawAnswer>;

const onServer =
  (verb: string, body?: Json): Call =>
  ({ name }) =>
    api('POST', `/api/v1/servers/${name}/${verb}`, body === undefined ? {} : { body });
const onContainer =
  (verb: string): Call =>
  async ({ containerId }) =>
    api('POST', `/api/v1/containers/${await containerId()}/${verb}`);
const read =
  (path: string): Call =>
  () =>
    api('GET', path);

/** One call for every route, in an order in which each of them can succeed. The key is method and path. */
const CALLS: Readonly<Record<string, Call>> = {
  'get /healthz': read('/healthz'),
  'get /readyz': () =>
    until('readiness', async () => {
      const answer = await api('GET', '/readyz');
      return answer.status === 200 && answer;
    }),
  'get /metrics': read('/metrics'),
  'get /openapi.json': read('/openapi.json'),
  'get /api/v1/servers': read('/api/v1/servers'),
  'get /api/v1/containers': read('/api/v1/containers'),
  'get /api/v1/mesh/status': read('/api/v1/mesh/status'),
  'get /api/v1/mesh/services': read('/api/v1/mesh/services'),
  'get /api/v1/mesh/services/{name}': ({ name }) => api('GET', `/api/v1/mesh/services/${name}`),
  ...MESH_CALLS,
  'get /api/v1/servers/{name}': ({ name }) => api('GET', `/api/v1/servers/${name}`),
  'get /api/v1/servers/{name}/tools': ({ name }) => api('GET', `/api/v1/servers/${name}/tools`),
  'post /api/v1/servers/{name}/tools/{tool}': onServer('tools/echo', { text: 'x' }),
  'get /api/v1/containers/{id}': async ({ containerId }) =>
    api('GET', `/api/v1/containers/${await containerId()}`),
  'get /api/v1/containers/{id}/stats': async ({ containerId }) =>
    api('GET', `/api/v1/containers/${await containerId()}/stats`),
  'get /api/v1/containers/{id}/logs': async ({ containerId }) =>
    api('GET', `/api/v1/containers/${await containerId()}/logs`),
  ...TASK_CALLS,
  'post /mcp/{server}': ({ name }) => postMcp(name, initializeRequest()),
  'get /mcp/{server}': async ({ t, name }) => {
    const stream = await (await openSession(t, name)).openStream();
    t.teardown(() => {
      stream.destroy();
    });
    // The stream stays open: only its beginning is judged.
    return { status: stream.statusCode ?? 0, headers: stream.headers, text: '' };
  },
  'get /sse/{server}': async ({ t, name }) => {
    const { response } = await openEvents(t, 'GET', `/sse/${name}`);
    return { status: response.statusCode ?? 0, headers: response.headers, text: '' };
  },
  'post /messages/{server}': async ({ t, name }) => (await openSse(t, name)).post(initializeRequest()),
  'delete /mcp/{server}': async ({ t, name }) => (await openSession(t, name)).end(),
  'post /mcp': () => postMcp('', initializeRequest()),
  'get /mcp': async ({ t }) => {
    const stream = await (await openSession(t, '')).openStream();
    t.teardown(() => {
      stream.destroy();
    });
    return { status: stream.statusCode ?? 0, headers: stream.headers, text: '' };
  },
  'delete /mcp': async ({ t }) => (await openSession(t, '')).end(),
  'post /api/v1/containers/{id}/pause': onContainer('pause'),
  'post /api/v1/containers/{id}/resume': onContainer('resume'),
  'post /api/v1/containers/{id}/stop': onContainer('stop'),
  'post /api/v1/containers/{id}/start': onContainer('start'),
  'post /api/v1/containers/{id}/restart': onContainer('restart'),
  'post /api/v1/containers/{id}/kill': onContainer('kill'),
  'post /api/v1/servers/{name}/scale': onServer('scale', { replicas: 1 }),
  'post /api/v1/servers/{name}/stop': onServer('stop'),
  'post /api/v1/servers/{name}/start': onServer('start'),
  'post /api/v1/servers/{name}/restart': onServer('restart'),
  'patch /api/v1/servers/{name}': ({ name }) =>
    api('PATCH', `/api/v1/servers/${name}`, { body: { maxSessions: 5 } }),
  'post /api/v1/reload': () => api('POST', '/api/v1/reload'),
  'get /api/v1/config': () => api('GET', '/api/v1/config'),
  'post /api/v1/servers': async () =>
    api('POST', '/api/v1/servers', {
      body: { name: uniqueName('made'), ...(await fixtureEntry('plain.py')) },
    }),
  'delete /api/v1/servers/{name}': ({ name }) => api('DELETE', `/api/v1/servers/${name}`),
};

/** An answer as well when half of the servers of the stack are down, or not up yet. */
const SAYS_HOW_IT_IS = 'get /api/v1/mesh/v2/health';

/** Verbs whose effect has to be over before the next call makes sense. */
const SETTLES: Readonly<Record<string, string>> = {
  'post /api/v1/containers/{id}/resume': 'ready',
  'post /api/v1/containers/{id}/start': 'ready',
  'post /api/v1/containers/{id}/restart': 'ready',
  'post /api/v1/containers/{id}/kill': 'ready',
  'post /api/v1/servers/{name}/start': 'ready',
  'post /api/v1/servers/{name}/restart': 'ready',
};

test('every route of the OpenAPI document is called, succeeds, and answers as the document says', async (t) => {
  t.timeout(240_000);
  const document = await expectStatus<Document>(200, api('GET', '/openapi.json'));
  t.regex(document.openapi, /^3\.1\./);
  const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  t.deepEqual(listed.toSorted(), Object.keys(CALLS).toSorted());

  const check = answerChecker(document);
  const name = await readyServer(t, 'plain.py');
  const { id: first } = await standingContainer(name);
  let containerId = first;
  const scene: Scene = { t, name, containerId: () => Promise.resolve(containerId) };
  for (const [route, call] of Object.entries(CALLS)) {
    const answer = await call(scene);
    t.true(
      (answer.status >= 200 && answer.status < 300) || (answer.status === 503 && route === SAYS_HOW_IT_IS),
      `${route}: ${answer.status} ${answer.text.slice(0, 300)}`,
    );
    t.deepEqual(check(route, answer), [], route);
    if (route === 'post /api/v1/servers') await removeMade(answer);
    if (SETTLES[route] === 'ready') {
      await untilReady(name);
      containerId = (await until('a container', () => standingContainer(name))).id;
    }
  }
});

test('errors of the API and of MCP answer as the OpenAPI document says', async (t) => {
  const check = answerChecker(await expectStatus<Document>(200, api('GET', '/openapi.json')));
  const session = await openSession(t, 'plain');
  const stream = await session.openStream();
  t.teardown(() => {
    stream.destroy();
  });
  const name = await makeServer(t, 'twice', await fixtureEntry('plain.py'));
  const second = await session.openStream();
  second.destroy();
  const errors: readonly (readonly [string, number, RawAnswer])[] = [
    ['get /api/v1/servers/{name}', 404, await api('GET', '/api/v1/servers/nobody')],
    ['get /api/v1/containers/{id}', 404, await api('GET', '/api/v1/containers/000000000000')],
    ['post /api/v1/servers', 401, await api('POST', '/api/v1/servers', { body: {}, token: null })],
    [
      'post /api/v1/servers',
      422,
      await api('POST', '/api/v1/servers', { body: { name: 'x', npm: 'x', image: 'y' } }),
    ],
    [
      'post /api/v1/servers',
      409,
      await api('POST', '/api/v1/servers', { body: { name, ...(await fixtureEntry('plain.py')) } }),
    ],
    ['patch /api/v1/servers/{name}', 409, await api('PATCH', '/api/v1/servers/plain', { body: {} })],
    [
      'post /api/v1/servers/{name}/tools/{tool}',
      404,
      await api('POST', '/api/v1/servers/plain/tools/no', { body: {} }),
    ],
    [
      'post /api/v1/servers/{name}/tools/{tool}',
      502,
      await api('POST', '/api/v1/servers/plain/tools/fail', { body: {} }),
    ],
    ['post /mcp/{server}', 400, await postMcp('plain', '{')],
    [
      'post /mcp/{server}',
      404,
      await postMcp('plain', toolCall(1, 'echo'), { 'mcp-session-id': 'unknown-session' }),
    ],
    ['get /mcp/{server}', 409, { status: second.statusCode ?? 0, headers: second.headers, text: '' }],
  ];
  for (const [route, status, answer] of errors) {
    t.is(answer.status, status, route);
    t.deepEqual(check(route, answer), [], `${route} ${status}`);
  }
});

test('what the OpenAPI document does not list does not exist', async (t) => {
  for (const path of [
    '/api/v1',
    '/api/v1/server',
    '/api/v2/servers',
    '/admin',
    '/debug',
    '/api/v1/servers/plain/env',
  ]) {
    const answer = await api('GET', path);
    t.is(answer.status, 404, path);
    t.is(JSON.parse(answer.text).error.code, 'route_not_found', path);
  }
});

test('a known route with another method is 405 and names the methods it has', async (t) => {
  const answer = await api('PUT', '/api/v1/servers');
  t.is(answer.status, 405);
  t.regex(String(answer.headers.allow), /GET.*POST|POST.*GET/);
});

async function removeMade(answer: RawAnswer): Promise<void> {
  const { name } = JSON.parse(answer.text) as { name: string };
  await expectStatus(204, api('DELETE', `/api/v1/servers/${name}`));
}

/** Judges an answer by the document: status, content type, and the schema of a JSON body. Gives back what is wrong. */
function answerChecker(document: Document): (route: string, answer: RawAnswer) => readonly string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(document, 'openapi');
  return (route, answer) => {
    const [method = '', path = ''] = route.split(' ');
    const response = document.paths[path]?.[method]?.responses[answer.status];
    if (response === undefined) return [`status ${answer.status} is not listed`];
    const kind = String(answer.headers['content-type'] ?? '').split(';')[0] ?? '';
    if (response.content === undefined) return answer.text === '' ? [] : ['an answer where none is listed'];
    if (!(kind in response.content)) return [`content type ${kind || '(none)'} is not listed`];
    if (kind !== 'application/json' || answer.text === '') return [];
    const part = (text: string): string =>
      encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));
    const pointer = ['paths', path, method, 'responses', String(answer.status), 'content', kind, 'schema']
      .map(part)
      .join('/');
    const validate = ajv.compile({ $ref: `openapi#/${pointer}` });
    return validate(lastMessage(answer)) ? [] : [ajv.errorsText(validate.errors)];
  };
}
