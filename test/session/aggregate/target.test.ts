import test from 'ava';
import { targetOf } from '../../../orchestrator/session/aggregate/target.ts';

const SERVERS = ['a', 'b'];
const find = (method: string, params: Record<string, unknown>) =>
  targetOf(
    method,
    params,
    (what, { server, own }) => SERVERS.includes(server) && !(what === 'tool' && own === 'denied'),
    () => SERVERS,
  );

test('each request goes to the server that it names, with what that server knows', (t) => {
  t.deepEqual(find('tools/call', { name: 'a__x', arguments: { n: 1 }, _meta: {} }), {
    what: 'tool',
    shared: 'a__x',
    server: 'a',
    own: 'x',
    params: { name: 'x', arguments: { n: 1 }, _meta: {} },
  });
  t.like(find('prompts/get', { name: 'b__x__y' }), { server: 'b', params: { name: 'x__y' } });
  for (const method of ['resources/read', 'resources/subscribe', 'resources/unsubscribe']) {
    t.like(find(method, { uri: 'a+x:y' }), { server: 'a', own: 'x:y', params: { uri: 'x:y' } });
  }
});

test('a completion goes by what it refers to', (t) => {
  const argument = { name: 'x', value: 'y' };
  t.like(find('completion/complete', { ref: { type: 'ref/prompt', name: 'a__p', title: 't' }, argument }), {
    server: 'a',
    params: { ref: { type: 'ref/prompt', name: 'p', title: 't' }, argument },
  });
  t.like(find('completion/complete', { ref: { type: 'ref/resource', uri: 'b+x:{y}' }, argument }), {
    server: 'b',
    params: { ref: { type: 'ref/resource', uri: 'x:{y}' }, argument },
  });
  t.like(find('completion/complete', {}), { ok: false });
});

test('a name of no server here is refused, and the servers are named', (t) => {
  for (const name of ['x', 'c__x', 'a__denied', 7, undefined]) {
    t.like(find('tools/call', { name }), {
      ok: false,
      error: { code: -32602, data: { code: 'tool_not_found', tool: name ?? null, servers: SERVERS } },
    });
  }
  t.like(find('prompts/get', { name: 'c__x' }), {
    error: { code: -32602, data: { code: 'prompt_not_found' } },
  });
  t.like(find('resources/read', { uri: 'x:y' }), {
    error: {
      code: -32002,
      message: 'Unknown resource: x:y (URIs here are server+uri; the servers are a, b).',
      data: { uri: 'x:y', servers: SERVERS },
    },
  });
});

test('a method that no single server answers has no target', (t) => {
  t.is(find('tools/list', {}), null);
  t.is(find('tasks/get', { taskId: 'a__x' }), null);
});
