import test from 'ava';
import { api, callTool, expectStatus, type Json, type Server } from './harness.ts';
import { imageOf, removeServer, uniqueName, untilReady } from './own-server.ts';

type Problem = { readonly path: string; readonly line: number | null; readonly message: string };

/** A server.json for an image that is on the engine: no registry is asked. */
function serverJson(image: string, name: string, more: Json = {}): Json {
  return {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: `io.github.example/${name}`,
    description: 'A server of the tests.',
    version: '1.0.0',
    packages: [
      {
        registryType: 'oci',
        identifier: image,
        transport: { type: 'stdio' },
        runtimeHint: 'docker',
        runtimeArguments: [
          { type: 'named', name: '--rm' },
          { type: 'named', name: '-i' },
        ],
        environmentVariables: [{ name: 'KEY', description: 'Of nobody.', isRequired: true, isSecret: true }],
      },
    ],
    ...more,
  };
}

async function problemsOf(body: Json): Promise<readonly Problem[]> {
  const { error } = await expectStatus<{ error: { code: string; detail: { problems: Problem[] } } }>(
    422,
    api('POST', '/api/v1/servers', { body }),
  );
  return error.detail.problems;
}

test('a server.json of the registry becomes a server that works, its secret never shown', async (t) => {
  const name = uniqueName('registry');
  t.teardown(() => removeServer(name));
  const body = { ...serverJson(await imageOf('plain'), name), answers: { KEY: 'n0t-shown' } };
  const answer = await api('POST', '/api/v1/servers', { body });
  const made = await expectStatus<Server>(202, Promise.resolve(answer));
  t.is(made.name, name);
  await untilReady(name);
  t.is(await callTool(name, 'echo', { text: 'from the registry' }), 'from the registry');
  const shown = await api('GET', `/api/v1/servers/${name}`);
  t.deepEqual(JSON.parse(shown.text).envKeys, ['KEY']);
  t.notRegex(answer.text + shown.text, /n0t-shown/);
});

test('an mcp.json of an editor brings its servers, their inputs answered', async (t) => {
  const names = [uniqueName('editor'), uniqueName('editor')];
  t.teardown(() => Promise.all(names.map(removeServer)));
  const image = await imageOf('plain');
  const entry = {
    type: 'stdio',
    command: 'docker',
    args: ['run', '-i', '--rm', '-e', 'KEY', image],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write inputs like this
    env: { KEY: '${input:key}' },
  };
  const { servers } = await expectStatus<{ servers: Server[] }>(
    202,
    api('POST', '/api/v1/servers', {
      body: {
        servers: Object.fromEntries(names.map((name) => [name, entry])),
        inputs: [{ type: 'promptString', id: 'key', description: 'A key', password: true }],
        answers: { key: 'x' },
      },
    }),
  );
  t.deepEqual(servers.map(({ name }) => name).sort(), [...names].sort());
  await Promise.all(names.map((name) => untilReady(name)));
  for (const name of names) t.is(await callTool(name, 'echo', { text: name }), name);
});

test('what is missing, and what a document must not ask for, is named all at once and makes nothing', async (t) => {
  const name = uniqueName('refused');
  const missing = await problemsOf(serverJson(await imageOf('plain'), name));
  t.deepEqual(missing, [
    {
      path: 'packages[0].environmentVariables[0]',
      line: null,
      message: 'KEY (Of nobody.) is required and secret: give it as answers.KEY',
    },
  ]);
  const [pack] = serverJson('a/b:1', name).packages as [Json];
  const bad = {
    ...pack,
    runtimeArguments: ['--privileged', '-v', '--network'].map((option) => ({
      type: 'named',
      name: option,
      value: 'x',
    })),
  };
  const refused = await problemsOf(serverJson('a/b:1', name, { packages: [bad], answers: { KEY: 'x' } }));
  t.deepEqual(
    refused.map(({ path }) => path),
    [0, 1, 2].map((index) => `packages[0].runtimeArguments[${index}]`),
  );
  t.is((await api('GET', `/api/v1/servers/${name}`)).status, 404);
});
