import test from 'ava';
import { loadConfig } from '../../orchestrator/config/index.ts';
import { additionOf } from '../../scripts/add/addition.ts';
import { withServers } from '../../scripts/add/insert.ts';

/** A server.json of one package. */
function documentOf(pack: Record<string, unknown>) {
  return { name: 'a/b', packages: [{ transport: { type: 'stdio' }, ...pack }] };
}

test('a secret among the arguments is refused: gantry.yaml would show it', (t) => {
  const document = documentOf({
    registryType: 'npm',
    identifier: 'b',
    packageArguments: [{ type: 'named', name: '--key', isSecret: true, isRequired: true }],
  });
  const { problems } = additionOf(document, { key: 'x' }, null);
  const message =
    'is a secret among the arguments or in an address, which gantry.yaml would show to everybody';
  t.deepEqual(problems, [{ path: ['packages', 0, 'packageArguments', 0], message }]);
});

test('a secret in -e of a docker run goes into a file as well', (t) => {
  const token = { isSecret: true, isRequired: true };
  const document = documentOf({
    registryType: 'oci',
    identifier: 'a/b:1',
    runtimeArguments: [
      { type: 'named', name: '-e', value: 'TOKEN={token}', isRequired: true, variables: { token } },
    ],
  });
  const { entries, secrets, problems } = additionOf(document, { token: 's3cret' }, null);
  t.deepEqual(problems, []);
  t.deepEqual(entries.get('b'), { image: 'a/b:1', env: { TOKEN: { file: 'secrets/b.TOKEN' } } });
  t.deepEqual([...secrets], [['secrets/b.TOKEN', 's3cret']]);
});

for (const [what, text] of [
  ['an empty file', ''],
  ['a file without servers', 'limits: {}\n'],
  ['a section without content', 'servers:\nlimits: {}\n'],
  ['servers in braces', 'servers: {one: {npm: x}} # mine\n'],
  ['servers at the end without a line end', 'servers:\n    one:\n        npm: x'],
  ['servers before a comment', 'servers:\n  one:\n    npm: x\n  # last words\nlimits: {}\n'],
] as const) {
  test(`${what} takes a server`, (t) => {
    const after = withServers(text, new Map([['two', { npm: 'y', args: ['a b', '1'] }]]));
    const loaded = loadConfig(after, { baseDir: '/' });
    t.deepEqual(loaded.ok ? loaded.servers.at(-1)?.args : loaded.problems, ['a b', '1'], after);
    for (const comment of text.match(/#.*/g) ?? []) t.true(after.includes(comment), after);
  });
}

test('a secret header of a server elsewhere goes into a file, and one in its address is refused', (t) => {
  const input = (id: string) => ({ type: 'promptString', id, password: true });
  const document = {
    servers: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write inputs like this
      far: { type: 'http', url: 'https://x/mcp', headers: { Authorization: 'Bearer ${input:key}' } },
    },
    inputs: [input('key')],
  };
  const { entries, secrets, problems } = additionOf(document, { key: 's3cret' }, null);
  t.deepEqual(problems, []);
  const headers = { Authorization: { file: 'secrets/far.Authorization' } };
  t.deepEqual(entries.get('far'), { url: 'https://x/mcp', headers });
  t.deepEqual([...secrets], [['secrets/far.Authorization', 'Bearer s3cret']]);
  const shown = {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write inputs like this
    servers: { far: { url: 'https://x/mcp?key=${input:key}' } },
    inputs: [input('key')],
  };
  t.regex(
    additionOf(shown, { key: 's3cret' }, null).problems[0]?.message ?? '',
    /^is a secret .* in an address/,
  );
});
