import test from 'ava';
import { api, compose, dockerOnHost, expectStatus, type Json, server } from '../e2e/harness.ts';
import { openSession } from '../e2e/mcp-session.ts';
import { modernCall } from '../e2e/modern-client.ts';
import { makeServer, untilReady } from '../e2e/own-server.ts';
import { EVERYTHING } from '../e2e/sdk-target.ts';
import { until } from '../e2e/until.ts';

/** The address of all servers. */
const ALL = '';
const CAN = { sampling: {} };

/** What one list of all servers has of one, for a client that can do so much. */
async function listed(name: string, kind: string, id: string, can: Json): Promise<readonly string[]> {
  const method = kind === 'resourceTemplates' ? 'resources/templates/list' : `${kind}/list`;
  const { result } = await modernCall(ALL, method, {}, can);
  const ids = ((result?.[kind] ?? []) as readonly Json[]).map((entry) => String(entry[id]));
  return ids.filter((one) => one.startsWith(`${name}__`) || one.startsWith(`${name}+`));
}

async function allLists(name: string, can: Json = {}) {
  const kinds = { tools: 'name', prompts: 'name', resources: 'uri', resourceTemplates: 'uriTemplate' };
  const lists = Object.entries(kinds).map(async ([kind, id]) => [kind, await listed(name, kind, id, can)]);
  return Object.fromEntries(await Promise.all(lists)) as Readonly<Record<string, readonly string[]>>;
}

test.serial('after a kill of the orchestrator all lists are there before their server is', async (t) => {
  t.timeout(280_000);
  const name = await makeServer(t, 'remembered', await EVERYTHING.entry());
  await untilReady(name, 180_000);
  const session = await openSession(t, ALL, { capabilities: CAN });
  t.is((await session.call(1, `${name}__echo`, { message: 'hi' })).error, undefined);
  const asking = `${name}__trigger-sampling-request`;
  const learned = await until('what it offers to a client that can be asked is learned', async () => {
    const lists = await allLists(name, CAN);
    return lists.tools?.includes(asking) && lists;
  });
  const known = await allLists(name);
  t.false(known.tools?.includes(asking));
  for (const list of Object.values(known)) t.true(list.length > 0);

  // It cannot be started any more: what it waits for never becomes ready.
  await expectStatus(202, api('PATCH', `/api/v1/servers/${name}`, { body: { dependsOn: ['never-ready'] } }));
  const orchestrator = (await compose('ps', '-a', '-q', 'orchestrator')).trim();
  await dockerOnHost('kill', '--signal', 'KILL', orchestrator);
  await dockerOnHost('start', orchestrator);
  const state = await until('it waits', async () => (await server(name)).state, { timeoutMs: 60_000 });
  t.is(state, 'pending');
  t.deepEqual(await allLists(name), known);
  t.deepEqual(await allLists(name, CAN), learned);
});
