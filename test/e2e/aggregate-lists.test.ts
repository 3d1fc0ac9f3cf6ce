import test from 'ava';
import { api, containersOf, expectStatus, type Json } from './harness.ts';
import { lastMessage, type McpSession, openSession, postMcp } from './mcp-session.ts';
import { modernCall } from './modern-client.ts';
import { fixtureEntry, makeServer, untilReady } from './own-server.ts';
import { eventsOf } from './sse-events.ts';
import { until } from './until.ts';

type Listed = { readonly name: string; readonly uri?: string };
type LeftOut = { readonly server: string; readonly state: string; readonly reason: string | null };

/** The address of all servers. */
const ALL = '';
const LEFT_OUT = 'gantry/leftOut';
/** Servers of test/stack/gantry.yaml, which no test removes. */
const KEPT = ['clock', 'conformance', 'everything', 'modern-only', 'plain'];

async function listed(session: McpSession, method: string): Promise<Json> {
  const { result } = lastMessage(await session.post({ jsonrpc: '2.0', id: method, method }));
  if (result === undefined) throw new Error(`${method} was refused`);
  return result;
}

const namesIn = (result: Json | undefined, key = 'tools'): readonly string[] =>
  ((result?.[key] ?? []) as readonly Listed[]).map(({ name }) => name);

test('all servers are listed together, in the same order in both eras, under names that begin with the server', async (t) => {
  for (const name of KEPT) await untilReady(name, 180_000);
  const session = await openSession(t, ALL);
  const shown = await until('every server is known', async () => {
    const names = namesIn(await listed(session, 'tools/list'));
    return KEPT.every((server) => names.some((name) => name.startsWith(`${server}__`))) && names;
  });
  const ofKept = (names: readonly string[]): readonly string[] =>
    names.filter((name) => KEPT.includes(name.split('__')[0] ?? ''));
  const modern = namesIn((await modernCall(ALL, 'tools/list')).result);
  t.deepEqual(ofKept(modern), ofKept(shown));
  t.true(shown.includes('everything__echo'));
  t.true(shown.includes('plain__echo'));
  const servers = [...new Set(ofKept(shown).map((name) => name.split('__')[0]))];
  t.deepEqual(servers, KEPT);

  const prompts = namesIn(await listed(session, 'prompts/list'), 'prompts');
  t.true(
    prompts.includes('everything__simple-prompt') && prompts.includes('conformance__test_simple_prompt'),
  );
  const { resourceTemplates } = await listed(session, 'resources/templates/list');
  const templates = (resourceTemplates as readonly { uriTemplate: string }[]).map(
    ({ uriTemplate }) => uriTemplate,
  );
  t.true(templates.includes('conformance+test://template/{id}/data'));
  t.true(templates.includes('modern-only+test://template/{id}/data'));
});

test('a server that never becomes ready is left out and named, and hides none of the others', async (t) => {
  const session = await openSession(t, ALL);
  const result = await until('never-ready has failed', async () => {
    const tools = await listed(session, 'tools/list');
    const leftOut = ((tools._meta as Json | undefined)?.[LEFT_OUT] ?? []) as readonly LeftOut[];
    const bad = leftOut.find(({ server }) => server === 'never-ready');
    return bad?.state === 'failed' && { tools, bad };
  });
  t.regex(String(result.bad.reason), /never_ready|crash_loop/);
  t.true(namesIn(result.tools).includes('plain__echo'));
  const counted = await expectStatus<Json>(200, api('GET', '/api/v1/servers/plain'));
  t.is(counted.state, 'ready');
  const { text } = await api('GET', '/metrics');
  t.regex(text, /gantry_servers_left_out_total\{server="never-ready",why="[a-z_]+"\} [1-9]/);
});

test('listing starts nothing: a server that was put to rest sleeps on, and a call wakes it', async (t) => {
  const name = await makeServer(t, 'sleeper', {
    ...(await fixtureEntry('plain.py')),
    sharing: 'shared',
    idle: { stopAfterMs: 1000 },
  });
  const session = await openSession(t, ALL);
  // The server is asleep as soon as nobody can get its replica; the container takes a moment longer to stop.
  const before = await until('it sleeps', async () => {
    const { idle } = await expectStatus<Json>(200, api('GET', `/api/v1/servers/${name}`));
    const containers = await startsOf(name);
    const areStopped = containers.length > 0 && containers.every(({ state }) => state === 'stopped');
    return idle === 'stopped' && areStopped && containers;
  });
  t.true(namesIn(await listed(session, 'tools/list')).includes(`${name}__echo`));
  await listed(session, 'prompts/list');
  await listed(session, 'resources/list');
  t.true(namesIn((await modernCall(ALL, 'tools/list')).result).includes(`${name}__echo`));
  t.deepEqual(await startsOf(name), before);

  const { result } = await session.call(1, `${name}__echo`, { text: 'awake' });
  t.deepEqual(result?.content, [{ type: 'text', text: 'awake' }]);
  t.true((await startsOf(name)).some(({ state }) => state === 'ready'));
});

/** The containers of a server as the engine has them, and how often they were started. */
async function startsOf(name: string) {
  return (await containersOf(name)).map(({ id, state, restarts }) => ({ id, state, restarts }));
}

test('a session that has listed is told when a server comes and goes', async (t) => {
  const session = await openSession(t, ALL);
  await listed(session, 'tools/list');
  const stream = await session.openStream();
  t.teardown(() => {
    stream.destroy();
  });
  const events = eventsOf(stream);
  const name = await makeServer(t, 'newcomer', await fixtureEntry('plain.py'));
  const isShown = async (): Promise<boolean> =>
    namesIn(await listed(session, 'tools/list')).includes(`${name}__echo`);
  // Other tests make servers too: what counts is that a notice leads to the list with this one.
  const heard = async (): Promise<string> => {
    for await (const { data } of events) {
      const { method } = JSON.parse(data) as { method: string };
      if (method === 'notifications/tools/list_changed' && (await isShown())) return method;
    }
    throw new Error('the stream ended');
  };
  t.is(await heard(), 'notifications/tools/list_changed');
});

test('a set offers its servers only, its filter and theirs hold for listing and calling, and what it lacks is named', async (t) => {
  const twins = await openSession(t, '@twins');
  const owners = new Set(namesIn(await listed(twins, 'tools/list')).map((name) => name.split('__')[0]));
  t.deepEqual([...owners], ['conformance', 'modern-only']);

  await untilReady('filtered');
  const narrow = await openSession(t, '@narrow');
  const tools = await listed(narrow, 'tools/list');
  const names = namesIn(tools);
  t.true(names.includes('plain__echo') && names.includes('filtered__echo'));
  t.false(names.some((name) => ['plain__sleep', 'filtered__sleep', 'filtered__fail'].includes(name)));
  const leftOut = (tools._meta as Json)[LEFT_OUT] as readonly LeftOut[];
  t.deepEqual(
    leftOut.map(({ server, state }) => [server, state]),
    [['not-there', 'unknown']],
  );
  for (const denied of ['plain__sleep', 'filtered__sleep', 'filtered__fail', 'everything__echo', 'echo']) {
    const { error } = await narrow.call(denied, denied);
    t.is(error?.code, -32602, denied);
    t.deepEqual(error?.data, { code: 'tool_not_found', tool: denied, servers: ['filtered', 'plain'] });
    t.is((await modernCall('@narrow', 'tools/call', { name: denied })).error?.code, -32602, denied);
  }
  t.is((await postMcp('@nobody', {})).status, 404);
});

test('a tool that its server does not offer is neither listed nor called at any of its addresses', async (t) => {
  await untilReady('filtered');
  const session = await openSession(t, 'filtered');
  t.false(namesIn(await listed(session, 'tools/list')).includes('fail'));
  t.like((await session.call(1, 'fail')).error, { code: -32602, data: { code: 'tool_not_found' } });
  t.false(namesIn((await modernCall('filtered', 'tools/list')).result).includes('fail'));
  t.is((await modernCall('filtered', 'tools/call', { name: 'fail' })).error?.code, -32602);
  const rest = await expectStatus<Json>(200, api('GET', '/api/v1/servers/filtered/tools'));
  t.false(namesIn(rest).includes('fail'));
  t.true(namesIn(rest).includes('echo'));
  const { error } = await expectStatus<{ error: Json }>(
    404,
    api('POST', '/api/v1/servers/filtered/tools/fail', { body: {} }),
  );
  t.is(error.code, 'tool_not_found');
});
