import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import test, { type ExecutionContext } from 'ava';
import { baseUrl, textOf } from './harness.ts';
import { inspect } from './inspect.ts';
import { untilReady } from './own-server.ts';
import { connect } from './sdk-client.ts';
import { VERSION_OF } from './sdk-row.ts';

/** The address of all servers. */
const ALL = '';
const DOCUMENT = 'everything+demo://resource/static/document/features.md';

type AnyClient = {
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>;
  listPrompts(): Promise<{ readonly prompts: readonly { readonly name: string }[] }>;
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<unknown>;
  readResource(params: { uri: string }): Promise<{ readonly contents: readonly { readonly uri: string }[] }>;
  complete(params: {
    ref: { type: 'ref/prompt'; name: string };
    argument: { name: string; value: string };
  }): Promise<{ readonly completion: { readonly values: readonly string[] } }>;
};

test.before(async () => {
  for (const name of ['everything', 'clock']) await untilReady(name, 180_000);
});

/** What every official client does with all servers at once. */
async function tryOut(t: ExecutionContext, client: AnyClient): Promise<void> {
  const names = (await client.listTools()).tools.map(({ name }) => name);
  t.true(names.includes('everything__echo') && names.includes('plain__echo'));
  t.true((await client.listPrompts()).prompts.some(({ name }) => name === 'everything__simple-prompt'));
  t.is(textOf(await client.callTool({ name: 'everything__echo', arguments: { message: 'hi' } })), 'Echo: hi');
  t.is(textOf(await client.callTool({ name: 'plain__echo', arguments: { text: 'ho' } })), 'ho');
  t.is((await client.readResource({ uri: DOCUMENT })).contents[0]?.uri, DOCUMENT);
  const ref = { type: 'ref/prompt', name: 'everything__completable-prompt' } as const;
  const { completion } = await client.complete({ ref, argument: { name: 'department', value: 'E' } });
  t.deepEqual(completion.values, ['Engineering']);
  await t.throwsAsync(client.callTool({ name: 'nobody__echo' }), { message: /Unknown tool: nobody__echo/ });
}

test('sdk 1.32 lists, calls, reads and completes at the address of all servers', async (t) => {
  const { client } = await connect(t, ALL);
  t.is(client.getServerVersion()?.name, 'gantry');
  await tryOut(t, client as AnyClient);
});

for (const era of ['legacy', 'modern'] as const) {
  test(`sdk 2.4 ${era} lists, calls, reads and completes at the address of all servers`, async (t) => {
    const mode = era === 'legacy' ? 'legacy' : { pin: VERSION_OF.modern };
    const client = new Client({ name: 'gantry-tests', version: '1.0.0' }, { versionNegotiation: { mode } });
    const transport = new StreamableHTTPClientTransport(new URL('/mcp', baseUrl));
    await client.connect(transport);
    t.teardown(async () => {
      if (era === 'legacy') await transport.terminateSession();
      await client.close();
    });
    t.is(client.getServerVersion()?.name, 'gantry');
    await tryOut(t, client as unknown as AnyClient);
  });

  test(`inspector ${era}: lists and calls at the address of all servers`, async (t) => {
    const ask = async (...args: readonly string[]) => {
      const ended = await inspect(ALL, ['--protocol-era', era, '--method', ...args]);
      t.is(ended.exit, 0, ended.stderr);
      return JSON.parse(ended.stdout).result;
    };
    const { tools } = (await ask('tools/list')) as { tools: { name: string }[] };
    t.true(tools.some(({ name }) => name === 'everything__echo'));
    const called = await ask('tools/call', '--tool-name', 'everything__echo', '--tool-arg', 'message=hi');
    t.is(textOf(called), 'Echo: hi');
    t.is((await ask('resources/read', '--uri', DOCUMENT)).contents[0].uri, DOCUMENT);
  });
}
