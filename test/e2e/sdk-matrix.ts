import test from 'ava';
import { server, textOf } from './harness.ts';
import { addServer, removeServer, untilReady } from './own-server.ts';
import { refusals } from './sdk-refusals.ts';
import { join, type Question, type Row, type Sdk, type SdkClient, VERSION_OF } from './sdk-row.ts';
import type { Target } from './sdk-target.ts';
import { until } from './until.ts';

const SCENARIOS: Readonly<Record<string, (row: Row) => Promise<void>>> = {
  greeting: async (row) => {
    const { t, sdk, target } = row;
    const { client, wire } = await join(row);
    t.is(client.version, VERSION_OF[sdk.era]);
    t.is(client.serverName, target.serverName);
    await client.toolNames();
    const [first, ...rest] = wire.all.filter(({ says }) => says !== null);
    t.is(first?.says, sdk.era === 'modern' ? 'server/discover' : 'initialize');
    if (sdk.at === 'sse') return; // its session is in the address
    t.is(first?.opened === null, sdk.era === 'modern');
    // Whoever has a session names it from then on; whoever has none never does.
    for (const { headers } of rest) t.is(headers.get('mcp-session-id'), first?.opened ?? null);
    for (const { headers } of rest) t.is(headers.get('mcp-protocol-version'), VERSION_OF[sdk.era]);
  },

  'list of tools': async (row) => {
    const { client } = await join(row);
    const names = await client.toolNames();
    row.t.deepEqual(
      row.target.lists.filter((tool) => !names.includes(tool)),
      [],
    );
  },

  'call with progress': async (row) => {
    const { tool, args, says } = row.target.progress;
    const { client } = await join(row);
    const progress: number[] = [];
    const result = await client.call(tool, args, { onProgress: (step) => progress.push(step) });
    row.t.regex(textOf(result), says);
    // The last step and the result may come in one read; the client then forgets the handler before it hears the step.
    row.t.deepEqual(progress.slice(0, 3), [1, 2, 3]);
  },

  elicitation: (row) => isAsked(row, 'elicitation'),
  sampling: (row) => isAsked(row, 'sampling'),
  roots: (row) => isAsked(row, 'roots'),

  'resource update': async (row) => {
    const { uri, touch } = row.target.resource;
    const { client } = await join(row);
    const updated = Promise.withResolvers<string>();
    await client.watch(uri, updated.resolve);
    await client.call(touch.tool, touch.args);
    row.t.is(await updated.promise, uri);
  },

  cancellation: async (row) => {
    const { t, sdk, target, name } = row;
    const { client, wire } = await join(row);
    const inFlight = (count: number) => async () => (await server(name)).callsInFlight === count;
    await until('nothing else runs', inFlight(0));
    const before = await cancelledAt(target, client);
    const abort = new AbortController();
    const call = client.call(target.endless.tool, target.endless.args, { signal: abort.signal });
    await until('the call runs', inFlight(1));
    abort.abort('changed my mind');
    await t.throwsAsync(call);
    await until('its place is free again', inFlight(0));
    if (before !== null) {
      await until('the server was told', async () => (await cancelledAt(target, client)) === before + 1);
    }
    // With a session the client says so; without one it closes the stream of the call.
    t.is(wire.sent('notifications/cancelled').length, sdk.era === 'modern' ? 0 : 1);
  },

  'what the other era has is refused': refusals,
};

/** Registers all scenarios for one version of the client. One after the other: those against a target share a server. */
export function sdkMatrix(sdk: Sdk, targets: readonly Target[]): void {
  for (const target of targets) {
    let made: Promise<string> | undefined;
    const ready = async (): Promise<string> => {
      made ??= target.entry().then((entry) => addServer('sdk', entry));
      const name = await made;
      await untilReady(name, 180_000);
      return name;
    };
    test.after.always(`${sdk.title} against ${target.title}: the server is removed`, async () => {
      if (made !== undefined) await removeServer(await made);
    });
    for (const [scenario, play] of Object.entries(SCENARIOS)) {
      test.serial(`${sdk.title} against ${target.title}: ${scenario}`, async (t) => {
        t.timeout(60_000);
        await play({ t, sdk, target, name: await ready() });
      });
    }
  }
}

/** With a session the question is a request of the server; without one the call comes back and is sent again. */
async function isAsked(row: Row, question: Question): Promise<void> {
  const { t, sdk, target } = row;
  const { tool, args, says } = target[question];
  const { client, wire } = await join(row, [question]);
  t.regex(textOf(await client.call(tool, args)), says);
  t.true(client.asked.includes(question));
  const calls = wire.sent('tools/call');
  if (sdk.era === 'modern') {
    t.true(calls.length > 1);
    t.is(typeof calls.at(-1)?.params.inputResponses, 'object');
    t.is(wire.sent('answer').length, 0);
  } else {
    t.is(calls.length, 1);
    t.true(wire.sent('answer').length > 0);
  }
}

/** How many cancellations the process behind the client has seen; null where it cannot tell. */
async function cancelledAt({ stats }: Target, client: SdkClient): Promise<number | null> {
  if (stats === undefined) return null;
  return JSON.parse(textOf(await client.call(stats, {}))).cancelled;
}
