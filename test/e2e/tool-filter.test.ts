import test from 'ava';
import { api, callTool, expectStatus } from './harness.ts';
import { callBody, mesh, meshJson } from './mesh-api.ts';
import { addServer, fixtureEntry, makeServer, removeServer, untilReady } from './own-server.ts';
import { enqueueTool, post, textOfTask, untilTask } from './task-api.ts';

/** Writes down on its volume what it executes. Of its two tools that do, one is not offered. */
let server = '';
const DENIED = 'note_once';

test.before(async (t) => {
  t.timeout(180_000);
  const kept = { sharing: 'shared', data: '/data', tools: { deny: [DENIED] } };
  server = await addServer('filter', { ...(await fixtureEntry('ledger.py')), ...kept });
  await untilReady(server);
});
test.after.always(() => removeServer(server));

/** A call through the mesh whose body is one JSON-RPC request. */
function rpcBody(method: string, params: object) {
  return callBody(server, '', {}, { path: '/', body: { jsonrpc: '2.0', id: 7, method, params } });
}

test('a tool that is not offered is refused by every way in beside MCP, and nothing of it runs', async (t) => {
  const args = (marker: string) => ({ marker });
  const task = (marker: string) => ({ task_type: `${server}/${DENIED}`, payload: args(marker) });
  const besideIt = { task_type: `${server}/note`, payload: args('beside one that is not offered') };
  for (const [way, answer] of [
    ['the path', mesh('POST', 'v2/call', callBody(server, DENIED, args('path')))],
    ['JSON-RPC', mesh('POST', 'v2/call', rpcBody('tools/call', { name: DENIED, arguments: args('rpc') }))],
    ['REST', api('POST', `/api/v1/servers/${server}/tools/${DENIED}`, { body: args('rest') })],
    ['a task', post('/v2/enqueue', task('task'))],
    ['a task of the topic', post('/enqueue', { topic: 'mcp', task: task('topic') })],
    ['a batch', post('/v2/enqueue/batch', { tasks: [besideIt, task('batch')] })],
  ] as const) {
    const { error } = await expectStatus<{ error: { code: string; message: string } }>(404, answer);
    t.is(error.code, 'tool_not_found', way);
    t.is(error.message, `Server ${server} has no tool named ${DENIED}.`, way);
  }

  // The one that is offered runs by the same ways: what ran is what was written down.
  await meshJson(200, 'POST', 'v2/call', callBody(server, 'note', args('offered by path')));
  await meshJson(
    200,
    'POST',
    'v2/call',
    rpcBody('tools/call', { name: 'note', arguments: args('offered by rpc') }),
  );
  const offered = await enqueueTool(`${server}/note`, args('offered by task'));
  t.is(textOfTask(await untilTask(offered.task_id, 'done')), 'offered by task');
  const executed = (await callTool(server, 'executions')).trim().split('\n');
  t.deepEqual(executed, ['offered by path', 'offered by rpc', 'offered by task']);
});

test('a list through the mesh has only what is offered', async (t) => {
  const { body } = await meshJson<{ body: { result: { tools: { name: string }[] } } }>(
    200,
    'POST',
    'v2/call',
    rpcBody('tools/list', {}),
  );
  t.deepEqual(body.result.tools.map(({ name }) => name).sort(), ['echo', 'executions', 'note']);
});

test('a tool that is not offered any longer when its task is due does not run', async (t) => {
  t.timeout(180_000);
  const kept = { sharing: 'shared', data: '/data' };
  const name = await makeServer(t, 'withdrawn', { ...(await fixtureEntry('ledger.py')), ...kept });
  await untilReady(name);
  await callTool(name, 'note', { marker: 'in time' });
  const { task_id } = await enqueueTool(`${name}/note`, { marker: 'too late' }, { delay_ms: 10_000 });
  await expectStatus(202, api('PATCH', `/api/v1/servers/${name}`, { body: { tools: { deny: ['note*'] } } }));
  const { result, error } = await untilTask(task_id, 'failed');
  t.is(result, null);
  t.deepEqual(error, { code: 'tool_not_found', message: `Server ${name} has no tool named note.` });
  t.is((await callTool(name, 'executions')).trim(), 'in time');
});
