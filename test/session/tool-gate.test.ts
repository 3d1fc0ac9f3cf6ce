import test from 'ava';
import type { JsonRpcOutcome, ServerSpec, ToolFilter } from '../../orchestrator/kernel/index.ts';
import { sharedProcess } from '../../orchestrator/session/shared-process.ts';
import { gated, onlyOffered, refusedTool } from '../../orchestrator/session/tool-gate.ts';
import { FakePools, TEST_SPEC } from '../fakes/fake-pools.ts';
import { testRouter } from '../fakes/test-router.ts';

const NOT_B: ToolFilter = { allow: null, deny: ['b'] };
const OPEN: ToolFilter = { allow: null, deny: [] };

function listOf(raw: string): JsonRpcOutcome {
  return { ok: true, result: JSON.parse(raw), raw };
}

test('a page of tools loses those that are not offered, and the others keep their text', (t) => {
  const raw =
    '{"tools":[{"name":"a","n":9007199254740993}, {"name":"b"},{"title":"nameless"}], "nextCursor":"2"}';
  const left = onlyOffered(NOT_B, 'tools/list', listOf(raw));
  t.true(left.ok);
  if (left.ok) {
    t.is(left.raw, '{"tools":[{"name":"a","n":9007199254740993}],"nextCursor":"2"}');
    t.deepEqual(
      (left.result as { tools: { name: string }[] }).tools.map(({ name }) => name),
      ['a'],
    );
  }
});

test('without a filter, for other methods and other shapes, an outcome is passed on as it is', (t) => {
  const list = listOf('{"tools":[{"name":"b"}]}');
  t.is(onlyOffered(OPEN, 'tools/list', list), list);
  t.is(onlyOffered(NOT_B, 'prompts/list', list), list);
  const odd = listOf('{"tools":7}');
  t.is(onlyOffered(NOT_B, 'tools/list', odd), odd);
  const error: JsonRpcOutcome = { ok: false, error: { code: -1, message: 'no' } };
  t.is(onlyOffered(NOT_B, 'tools/list', error), error);
});

test('only a call of a tool that is not offered is refused', (t) => {
  const spec = { name: 'x', tools: NOT_B };
  t.like(refusedTool(spec, 'tools/call', { name: 'b' }), {
    error: { code: -32602, message: 'Unknown tool: b' },
  });
  t.is(refusedTool(spec, 'tools/call', { name: 'a' }), null);
  t.is(refusedTool(spec, 'tools/call', {}), null);
  t.is(refusedTool(spec, 'prompts/get', { name: 'b' }), null);
});

test('a session follows the filter as it is now, and no refused call reaches the server', async (t) => {
  let spec: ServerSpec = { ...TEST_SPEC, sharing: 'principal', tools: NOT_B };
  const pools = new FakePools(spec);
  const router = testRouter(pools);
  const backend = sharedProcess(router, spec, 'alice', await router.handshake('echo', 'alice'));
  const session = gated(backend, () => spec);
  const options = { signal: new AbortController().signal, onMessage: () => {} };
  t.false((await session.call('tools/call', { name: 'b' }, options)).ok);
  t.false(pools.opened[0]?.channel.sent.some(({ method }) => method === 'tools/call'));
  spec = { ...spec, tools: OPEN };
  t.true((await session.call('tools/call', { name: 'b' }, options)).ok);
});
