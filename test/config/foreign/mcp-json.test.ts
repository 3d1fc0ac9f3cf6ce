import test from 'ava';
import { parseServerBody } from '../../../orchestrator/config/index.ts';

type Json = Record<string, unknown>;

const npx = (...args: string[]): Json => ({
  type: 'stdio',
  command: 'npx',
  args: ['-y', 'x@1.0.0', ...args],
});
const key = { type: 'promptString', id: 'key', description: 'The key', password: true };

function entriesOf(body: Json): unknown {
  const parsed = parseServerBody(body);
  if (!parsed.ok) return parsed.problems.map(({ path, message }) => `${path}: ${message}`);
  return Object.fromEntries(parsed.value.map(({ name, entry }) => [name, entry]));
}

const converts = test.macro<[what: string, body: Json, entries: Json]>({
  exec(t, _, body, entries) {
    t.deepEqual(entriesOf(body), entries);
  },
  title: (_, what) => `${what} is converted`,
});

const refused = test.macro<[what: string, body: Json, ...problems: RegExp[]]>({
  exec(t, _, body, ...problems) {
    const told = entriesOf(body) as string[];
    t.is(told.length, problems.length, JSON.stringify(told));
    for (const [index, problem] of problems.entries()) t.regex(told[index] ?? '', problem);
  },
  title: (_, what) => `${what} is refused`,
});

for (const servers of ['servers', 'mcpServers']) {
  const at = (body: Json): Json => ({ [servers]: body });
  test(
    converts,
    `${servers} with several`,
    at({ a: npx('stdio'), b: { ...npx(), version: '1.0.0', gallery: 'x' } }),
    {
      a: { npm: 'x@1.0.0', args: ['stdio'] },
      b: { npm: 'x@1.0.0' },
    },
  );
  test(
    converts,
    `${servers} with inputs that are answered`,
    {
      ...at({
        // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write inputs like this
        a: { ...npx('--mode=${input:mode}', '${input:zone}'), env: { KEY: 'Bearer ${input:key}' } },
      }),
      inputs: [
        key,
        { type: 'pickString', id: 'mode', options: ['fast', 'slow'] },
        { type: 'promptString', id: 'zone', default: 'UTC' },
      ],
      answers: { key: 's3cret', mode: 'fast' },
    },
    { a: { npm: 'x@1.0.0', args: ['--mode=fast', 'UTC'], env: { KEY: 'Bearer s3cret' } } },
  );
  test(
    refused,
    `${servers} with an input that nobody has answered`,
    {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write inputs like this
      ...at({ a: { ...npx('${input:key}'), env: { KEY: '${input:key}', OTHER: '${input:nope}' } } }),
      inputs: [key],
    },
    new RegExp(`^${servers}\\.a\\.env\\.OTHER: there is no input "nope"`),
    /^inputs\[0\]: key \(The key\) is required and secret: give it as answers\.key/,
  );
  test(
    refused,
    `${servers} with placeholders of an editor`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write placeholders like this
    at({ a: { ...npx('${workspaceFolder}/x'), env: { A: '${env:TOKEN}' } } }),
    new RegExp(`^${servers}\\.a\\.args\\[2\\]: has a placeholder`),
    new RegExp(`^${servers}\\.a\\.env\\.A: has a placeholder`),
  );
  test(
    refused,
    `${servers} with keys that mean the client's machine`,
    at({ a: { ...npx(), envFile: '.env', cwd: '/x', sandboxEnabled: true, dev: {} } }),
    new RegExp(`^${servers}\\.a\\.envFile: names a file of the host`),
    new RegExp(`^${servers}\\.a\\.cwd: names a directory of the host`),
    new RegExp(`^${servers}\\.a\\.sandboxEnabled: is for a client`),
    new RegExp(`^${servers}\\.a\\.dev: is for a client`),
  );
  test(
    converts,
    `${servers} with a server elsewhere that wants headers`,
    {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write inputs like this
      ...at({ a: { type: 'http', url: 'https://x/${input:zone}', headers: { A: 'Bearer ${input:key}' } } }),
      inputs: [key, { type: 'promptString', id: 'zone', default: 'eu' }],
      answers: { key: 's3cret' },
    },
    { a: { url: 'https://x/eu', headers: { A: 'Bearer s3cret' } } },
  );
  test(
    refused,
    `${servers} with a server elsewhere whose headers are Gantry's own`,
    at({ a: { url: 'https://x', headers: { Host: 'y', 'Mcp-Session-Id': '1' } } }),
    new RegExp(`^${servers}\\.a\\.headers\\.Host: belongs to the connection or to MCP`),
    new RegExp(`^${servers}\\.a\\.headers\\.Mcp-Session-Id: belongs to`),
  );
}

test(
  converts,
  'docker run with variables that stand in env',
  {
    servers: {
      a: {
        command: 'docker',
        args: ['run', '-i', '--rm', '-e', 'TOKEN', 'ghcr.io/x/y:1'],
        // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write inputs like this
        env: { TOKEN: '${input:key}' },
      },
    },
    inputs: [key],
    answers: { key: 's3cret' },
  },
  { a: { image: 'ghcr.io/x/y:1', env: { TOKEN: 's3cret' } } },
);
test(
  refused,
  'an input that a command of the editor answers',
  { servers: { a: npx() }, inputs: [{ type: 'command', id: 'x', command: 'y' }] },
  /^inputs\[0\]\.type: must be one of/,
  /^inputs\[0\]\.command: is not a known key/,
);
test(
  refused,
  'two inputs of one id',
  { servers: { a: npx() }, inputs: [key, key] },
  /^inputs\[1\]\.id: is the id of an earlier/,
);
test(
  refused,
  'a document with anything else in it',
  { servers: { a: npx() }, name: 'x' },
  /^name: does not go together with servers/,
);
test(
  refused,
  'a name with capitals',
  { servers: { 'My Server': npx() } },
  /^servers\.My Server: a name is .*such as "my-server"/,
);
test(refused, 'a document without servers', { servers: {} }, /^servers: must be a map/);
test(
  refused,
  'answers that are no texts',
  { servers: { a: npx() }, answers: { key: 1 } },
  /^answers\.key: must be a text/,
);
