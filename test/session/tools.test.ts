import test from 'ava';
import { GantryError } from '../../orchestrator/kernel/index.ts';
import { MeshCalls, Tools } from '../../orchestrator/session/index.ts';
import { failsWith } from '../failure.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakePools, TEST_SPEC } from '../fakes/fake-pools.ts';
import { testRouter } from '../fakes/test-router.ts';

const SIGNAL = new AbortController().signal;
const FAILED = { isError: true, content: [{ type: 'text', text: 'disk full' }] };
const MESH_CALL = {
  ...{ server: 'echo', principal: 'alice', method: 'tools/call', params: { name: 'write', arguments: {} } },
  ...{ timeoutMs: 1000, attempts: 1, signal: SIGNAL },
};

/** What a process answers to `tools/list`; null for no answer at all. */
type List = Record<string, unknown> | null;

/** A server each of whose calls gets a process of its own and ends in an error result. */
function failing(list: List) {
  const pools = new FakePools({ ...TEST_SPEC, sharing: 'call' });
  const { play } = pools;
  pools.play = (channel) => {
    play(channel);
    const usual = channel.onSent;
    channel.onSent = (message) => {
      const { id, method } = message;
      if (method === 'tools/call') channel.print({ id, result: FAILED });
      else if (method !== 'tools/list') usual(message);
      else if (list !== null) channel.print({ id, ...list });
    };
  };
  const clock = new FakeClock();
  const router = testRouter(pools, { clock });
  return { pools, clock, tools: new Tools(router), mesh: new MeshCalls(router, clock) };
}

const call = ({ tools }: ReturnType<typeof failing>): Promise<string> =>
  tools.call('echo', 'write', {}, 'alice', SIGNAL);

test('an error of a tool that is known to be there is its answer: no process is made to list it', async (t) => {
  const one = failing(null);
  one.pools.toolList = [{ name: 'write' }];
  t.deepEqual(JSON.parse(await call(one)), FAILED);
  t.like((await one.mesh.call(MESH_CALL)).outcome, { ok: true, result: FAILED });
  t.is(one.pools.opened.length, 2);
});

test('an error answer stands where the server cannot be asked for its list afterwards', async (t) => {
  const refusing = failing({ error: { code: -32000, message: 'no list today' } });
  t.deepEqual(JSON.parse(await call(refusing)), FAILED);
  t.like((await refusing.mesh.call(MESH_CALL)).outcome, { ok: true, result: FAILED });
  const full = failing(null);
  full.pools.openForSession = async (server) => {
    if (full.pools.opened.length > 0) throw new GantryError('no_replica', 'no memory');
    return full.pools.make(server, 'only', 'session').replica;
  };
  t.deepEqual(JSON.parse(await call(full)), FAILED);
});

test('a call by the mesh that has its answer does not time out over the list', async (t) => {
  const { pools, clock, mesh } = failing(null);
  const answered = mesh.call(MESH_CALL);
  while (!pools.opened[1]?.channel.sent.some(({ method }) => method === 'tools/list')) {
    await new Promise(setImmediate);
  }
  clock.advance(MESH_CALL.timeoutMs);
  t.like((await answered).outcome, { ok: true, result: FAILED });
});

test('a tool that is in no list of the server is not found, whatever its error looks like', async (t) => {
  const one = failing({ result: { tools: [{ name: 'read' }] } });
  await failsWith(t, call(one), 'tool_not_found');
  await failsWith(t, one.mesh.call(MESH_CALL), 'tool_not_found');
});
