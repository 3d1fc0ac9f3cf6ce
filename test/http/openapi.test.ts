import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import { CONTAINER_ID } from '../fakes/controls.ts';
import { type Ask, type Asked, startApp } from './ask.ts';

type Operation = {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema: object }> }>>;
};
type Document = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Record<string, Operation>>>;
};

const ADMIN = { authorization: 'Bearer admin-token' };
const MESSAGE = { jsonrpc: '2.0', id: 1, method: 'ping' };

/** Bodies for the routes that need one; a route that is new here must be given its body. */
const BODIES: Readonly<Record<string, unknown>> = {
  createServer: { name: 'everything', npm: 'x@1.0.0' },
  patchServer: { replicas: 2 },
  scaleServer: { replicas: 2 },
  callTool: { message: 'hi' },
  registerService: { service_name: 'everything', address: '10.1.2.3', port: 8080 },
  callService: { service_name: 'everything', path: '/tools/echo', body: { message: 'hi' } },
  enqueueToolTask: { task_type: 'everything/echo', payload: { message: 'hi' } },
  enqueueToolTasks: { tasks: [{ task_type: 'everything/echo' }] },
  enqueueTask: { topic: 'mail', task: { to: 'you' } },
  claimTasks: { topic: 'mail', agent_id: 'mailer' },
  reportTask: { agent_id: 'mailer', status: 'done', result: { sent: true } },
  mcpPost: MESSAGE,
  mcpAllPost: MESSAGE,
  messagesPost: MESSAGE,
};

/** Queries for those that need one. */
const QUERIES: Readonly<Record<string, string>> = {
  messagesPost: '?sessionId=x',
  configureLoadBalancer: '?strategy=ip_hash',
  configureCircuitBreaker: '?failure_threshold=3&recovery_timeout=10',
  listResults: '?topic=mcp',
  listDeadLetters: '?topic=mcp&count=5',
};
/** They change nothing but what belongs to their caller. */
const OWN: readonly string[] = [
  ...[
    'callTool',
    'callService',
    'enqueueToolTask',
    'enqueueToolTasks',
    'enqueueTask',
    'beatAgent',
    'replayTask',
    'discardTask',
  ],
];

function operations(document: Document) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

function filled(path: string, unknown: boolean): string {
  const values = unknown
    ? { name: 'nobody', server: 'nobody', tool: 'echo', id: 'f'.repeat(64) }
    : { name: 'everything', server: 'everything', tool: 'echo', id: CONTAINER_ID };
  return path.replaceAll(/\{(\w+)\}/g, (_, name: keyof typeof values) => values[name]);
}

/** Checks an answer against what the document says about it; returns the problems. */
function checker(document: Document) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ ...document, $id: 'gantry' });
  return (operation: Operation, asked: Asked): string[] => {
    const response = operation.responses[asked.status];
    if (response === undefined) return [`status ${asked.status} is not described`];
    const type = String(asked.headers['content-type'] ?? '').split(';')[0] ?? '';
    if (response.content === undefined) return asked.text === '' ? [] : ['a body where none is described'];
    const schema = response.content[type]?.schema;
    if (schema === undefined) return [`type "${type}" is not described`];
    if (type !== 'application/json') return [];
    const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"gantry#/'));
    const validate = ajv.compile(absolute);
    return validate(asked.json)
      ? []
      : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
  };
}

async function call(ask: Ask, path: string, method: string, operation: Operation): Promise<Asked> {
  const body = BODIES[operation.operationId];
  const query = QUERIES[operation.operationId] ?? '';
  return ask(method, `${path}${query}`, { headers: { ...ADMIN }, ...(body === undefined ? {} : { body }) });
}

test('every route of the document answers as the document says', async (t) => {
  const { ask } = await startApp(t);
  const document = (await ask('GET', '/openapi.json')).json as Document;
  t.is(document.openapi, '3.1.0');
  const check = checker(document);
  const found = operations(document);
  t.true(found.length >= 30);
  for (const { path, method, operation } of found) {
    const asked = await call(ask, filled(path, false), method, operation);
    t.deepEqual(check(operation, asked), [], `${method} ${path}: ${asked.status} ${asked.text}`);
    t.true(asked.status < 300, `${method} ${path}: ${asked.status}`);
  }
});

test('every route with a name in it says 404 for an unknown one, as the document says', async (t) => {
  const { ask } = await startApp(t);
  const document = (await ask('GET', '/openapi.json')).json as Document;
  const check = checker(document);
  const named = operations(document).filter(({ path }) => path.startsWith('/api') && path.includes('{'));
  for (const { path, method, operation } of named) {
    const asked = await call(ask, filled(path, true), method, operation);
    t.deepEqual(check(operation, asked), [], `${method} ${path}`);
    t.is(asked.status, 404, `${method} ${path}`);
  }
});

test('every route that changes something asks for the admin token, tools and own tasks aside', async (t) => {
  const { ask } = await startApp(t);
  const document = (await ask('GET', '/openapi.json')).json as Document;
  const changing = operations(document).filter(
    ({ path, method, operation }) =>
      path.startsWith('/api') && method !== 'GET' && !OWN.includes(operation.operationId),
  );
  t.true(changing.length >= 14);
  for (const { path, method, operation } of changing) {
    const body = BODIES[operation.operationId];
    const asked = await ask(method, filled(path, false), body === undefined ? {} : { body });
    t.is(asked.status, 401, `${method} ${path}`);
    t.is(asked.json.error.code, 'unauthorized');
  }
});

test('all references of the document resolve and every parameter of a path is described', async (t) => {
  const { ask } = await startApp(t);
  const asked = await ask('GET', '/openapi.json');
  const document = asked.json;
  const references = [...asked.text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name ?? '',
  );
  t.deepEqual(
    references.filter((name) => !(name in document.components.schemas)),
    [],
  );
  t.deepEqual([...asked.text.matchAll(/"\$ref":"(?!#\/components)/g)], []);
  for (const { path, operation } of operations(document)) {
    const described = operation.parameters
      .filter((parameter) => parameter.in === 'path')
      .map(({ name }) => name);
    t.deepEqual(
      described,
      [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
    );
  }
});
