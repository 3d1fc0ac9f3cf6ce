import test, { type ExecutionContext } from 'ava';
import { reachedOver } from '../e2e/channels.ts';
import { api, callTool, containersOf, type Json, metric } from '../e2e/harness.ts';
import { BOTH_KINDS, type McpSession, openSession, type RpcMessage, toolCall } from '../e2e/mcp-session.ts';
import { modernRequest } from '../e2e/modern-client.ts';
import { addServer, fixtureEntry, makeServer, removeServer, untilReady } from '../e2e/own-server.ts';
import type { RawAnswer } from '../e2e/raw-http.ts';
import { nextOf, type OpenStream, openEvents } from '../e2e/sse-stream.ts';
import { until } from '../e2e/until.ts';
import { killAndStart, labelledContainers, restartPolitely } from './orchestrator.ts';

const SERVERS = ['everything', 'sequential-thinking', 'clock', 'plain'];
const STEPS = 12;
/** A process of each session, one for all of them, and one of their principal: what they have in common is the channel. */
const SHARINGS = ['session', 'shared', 'principal'] as const;
const counted = new Map<string, string>();

test.before(async (t) => {
  t.timeout(600_000);
  await Promise.all(SERVERS.map((name) => untilReady(name, 590_000)));
  const entry = { ...(await fixtureEntry('counted.py')), data: '/data' };
  for (const sharing of SHARINGS) counted.set(sharing, await addServer('counted', { ...entry, sharing }));
  await Promise.all([...counted.values()].map((name) => untilReady(name)));
});
test.after.always(async (t) => {
  t.timeout(60_000);
  await Promise.all([...counted.values()].map((name) => removeServer(name)));
});

for (const [how, restart] of [
  ['a SIGKILL', killAndStart],
  ['a polite restart', restartPolitely],
] as const) {
  test.serial(
    `after ${how} of the orchestrator sessions go on in the same containers, with what their processes know`,
    async (t) => {
      t.timeout(180_000);
      await untilReady('clock');
      const principal = await openSession(t, counted.get('principal') ?? '');
      await said(principal, 'remember', { text: `before ${how}` });
      const everything = await openSession(t, 'everything');
      const thinking = await openSession(t, 'sequential-thinking');
      const shared = await openSession(t, 'clock');
      const standing = await idsOf('clock', 'pool');
      const own = [
        ...(await idsOf('everything', 'session')),
        ...(await idsOf('sequential-thinking', 'session')),
      ];
      for (const { server } of [principal, everything, thinking, shared])
        await reachedOver(t, server, 'socket');
      t.is(await think(thinking, 1), 1);
      t.is(await think(thinking, 2), 2);
      await restart();
      t.is(await think(thinking, 3), 3, 'its history is that of before');
      await untilReady(principal.server); // until then shares of others are refused, with Retry-After
      const remembered = await said(principal, 'remember', { text: 'after' });
      t.true(remembered.endsWith(`before ${how},after`), remembered);
      const echoed = await everything.call(1, 'echo', { message: 'still here' });
      t.deepEqual(echoed.result?.content, [{ type: 'text', text: 'Echo: still here' }]);
      await untilReady('clock');
      t.is((await shared.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).status, 200);
      t.deepEqual(await idsOf('clock', 'pool'), standing);
      const after = await labelledContainers();
      t.deepEqual(
        own.filter((id) => !after.includes(id)),
        [],
      );
      for (const session of [everything, thinking]) t.is((await session.end()).status, 204);
      await until('their containers end with them', async () => {
        const left = await labelledContainers();
        return own.every((id) => !left.includes(id));
      });
    },
  );
}

for (const sharing of SHARINGS) {
  test.serial(
    `a call on a stream is answered after a SIGKILL, to the client that comes back, once and without a gap (sharing: ${sharing})`,
    async (t) => {
      t.timeout(180_000);
      const name = counted.get(sharing) ?? '';
      await untilReady(name);
      const session = await openSession(t, name);
      const mark = `stream-${sharing}`;
      const stream = await startCall(t, session, { mark, steps: STEPS, ms: 700 });
      const seen = [await nextOf(stream), await nextOf(stream)];
      await killAndStart();
      const headers = { ...session.headers, accept: 'text/event-stream', 'last-event-id': seen[1]?.id ?? '' };
      const again = await openEvents(t, 'GET', `/mcp/${name}`, headers);
      t.is(again.response.statusCode, 200);
      for await (const event of again.events) seen.push(event);
      const messages = seen.map(({ data }) => JSON.parse(data) as RpcMessage);
      t.deepEqual(
        messages.slice(0, -1).map(({ params }) => params?.progress),
        Array.from({ length: STEPS }, (_, index) => index + 1),
      );
      t.like(messages.at(-1), { id: 'streamed' });
      t.deepEqual(messages.at(-1)?.result?.content, [{ type: 'text', text: `ran ${mark}` }]);
      t.is(await runs(session, mark), 1);
    },
  );
}

test.serial(
  'calls that are no streams end with their connections, run once, and their answers reach nobody',
  async (t) => {
    t.timeout(180_000);
    const { own, shared, calls } = await callsInEveryWay(t, 'cut');
    const cut = [...calls].map(async ([mark, call]) => {
      const error = await t.throwsAsync(call, undefined, mark);
      t.regex(String(error), /socket hang up|ECONNRESET|aborted$/, mark);
    });
    await killAndStart();
    await Promise.all(cut);
    // The same id and the same process: its late answer must not be taken for the one of this call.
    const next = await own.call('cut own', 'run', { mark: 'next', ms: 6000 });
    t.deepEqual(next.result?.content, [{ type: 'text', text: 'ran next' }]);
    await untilReady(shared.server);
    for (const mark of calls.keys()) t.is(await runs(mark === 'cut own' ? own : shared, mark), 1, mark);
    t.is(await metric('gantry_lines_dropped_total', `server="${own.server}"`, 'why="unknown_id"'), 1);
  },
);

test.serial(
  'what a server asked before a SIGKILL its client can still answer, and the call goes on',
  async (t) => {
    t.timeout(180_000);
    const session = await openSession(t, 'plain', { capabilities: { roots: {} } });
    const headers = { ...session.headers, accept: BOTH_KINDS };
    const call = toolCall('asking', 'ask', { method: 'roots/list', id: 0 });
    const body = { ...headers, 'content-type': 'application/json' };
    const stream = await openEvents(t, 'POST', '/mcp/plain', body, JSON.stringify(call));
    const question = await nextOf(stream);
    t.like(JSON.parse(question.data), { id: 0, method: 'roots/list' });
    await killAndStart();
    const again = await openEvents(t, 'GET', '/mcp/plain', {
      ...headers,
      'last-event-id': question.id ?? '',
    });
    const answered = await session.post({ jsonrpc: '2.0', id: 0, result: { roots: [] } });
    t.is(answered.status, 202);
    const answer = JSON.parse((await nextOf(again)).data) as RpcMessage;
    t.deepEqual(answer.result?.content, [{ type: 'text', text: '{"roots": []}' }]);
  },
);

test.serial(
  'a session on an attached replica is over after a SIGKILL: 404 at once, and its container goes',
  async (t) => {
    t.timeout(180_000);
    const entry = { ...(await fixtureEntry('plain.py')), channel: 'attach' };
    const name = await makeServer(t, 'attached', entry);
    await untilReady(name);
    const session = await openSession(t, name);
    const own = await idsOf(name, 'session');
    t.is(own.length, 1);
    await killAndStart();
    t.is((await session.post(toolCall(1, 'echo', { text: 'x' }))).status, 404);
    await until('it is gone', async () => !(await labelledContainers()).includes(own[0] ?? ''));
  },
);

test.serial('a polite stop answers calls in flight, and their sessions go on', async (t) => {
  t.timeout(180_000);
  const { own, shared, calls } = await callsInEveryWay(t, 'drained');
  t.is(await said(own, 'remember', { text: 'a' }), 'a');
  const stream = await startCall(t, shared, { mark: 'drained stream', steps: 8, ms: 500 });
  await nextOf(stream);
  await restartPolitely();
  const told: RpcMessage[] = [];
  for await (const { data } of stream.events) told.push(JSON.parse(data) as RpcMessage);
  t.deepEqual(told.at(-1)?.result?.content, [{ type: 'text', text: 'ran drained stream' }]);
  for (const [mark, call] of calls) {
    const { status, text } = await call;
    t.is(status, 200, mark);
    t.true(text.includes(`ran ${mark}`), text);
  }
  t.is(await said(own, 'remember', { text: 'b' }), 'a,b');
  await untilReady(shared.server);
  for (const mark of [...calls.keys(), 'drained stream']) {
    t.is(await runs(mark === 'drained own' ? own : shared, mark), 1, mark);
  }
  await untilReady('plain');
  t.is(await callTool('plain', 'echo', { text: 'others too' }), 'others too');
});

/**
 * Begins a call in each way that there is, and resolves when all of them run.
 * @returns by their marks, which say how often they ran: `own` knows it of its call, `shared` of all others
 */
async function callsInEveryWay(t: ExecutionContext, what: string) {
  const own = await openSession(t, counted.get('session') ?? '');
  const shared = await openSession(t, counted.get('shared') ?? '');
  for (const { server } of [own, shared]) await reachedOver(t, server, 'socket');
  const args = (mark: string): Json => ({ mark, ms: 6000 });
  const inSession = (session: McpSession, mark: string): Promise<RawAnswer> =>
    session.post(toolCall(mark, 'run', args(mark)));
  const ways: Record<string, (mark: string) => Promise<RawAnswer>> = {
    own: (mark) => inSession(own, mark),
    shared: (mark) => inSession(shared, mark),
    stateless: (mark) => modernRequest(shared.server, 'tools/call', { name: 'run', arguments: args(mark) }),
    rest: (mark) => api('POST', `/api/v1/servers/${shared.server}/tools/run`, { body: args(mark) }),
  };
  const calls = new Map<string, Promise<RawAnswer>>();
  for (const [way, begin] of Object.entries(ways)) calls.set(`${what} ${way}`, begin(`${what} ${way}`));
  for (const mark of calls.keys()) {
    const session = mark === `${what} own` ? own : shared;
    await until(`${mark} runs`, async () => (await runs(session, mark)) === 1);
  }
  return { own, shared, calls };
}

async function idsOf(name: string, heldBy: 'pool' | 'session'): Promise<readonly string[]> {
  const held = (await containersOf(name)).filter((one) => one.heldBy === heldBy);
  return held.map(({ id }) => id).sort();
}

/** @returns how many thoughts the process has had */
async function think(session: McpSession, thoughtNumber: number): Promise<number> {
  const thought = { thought: 'so', thoughtNumber, totalThoughts: 9, nextThoughtNeeded: true };
  return (JSON.parse(await said(session, 'sequentialthinking', thought)) as { thoughtHistoryLength: number })
    .thoughtHistoryLength;
}

async function said(session: McpSession, tool: string, args: Json): Promise<string> {
  const { result, error } = await session.call(`${tool}-${JSON.stringify(args)}`, tool, args);
  const [first] = (result?.content ?? []) as readonly { text?: string }[];
  if (first?.text === undefined) throw new Error(`${tool} gave ${JSON.stringify(error ?? result)}`);
  return first.text;
}

async function runs(session: McpSession, mark: string): Promise<number> {
  return Number(await said(session, 'runs', { mark }));
}

function startCall(t: ExecutionContext, session: McpSession, args: Json): Promise<OpenStream> {
  const headers = { ...session.headers, accept: BOTH_KINDS, 'content-type': 'application/json' };
  const call = toolCall('streamed', 'run', args, { progressToken: 'mine' });
  return openEvents(t, 'POST', `/mcp/${session.server}`, headers, JSON.stringify(call));
}
