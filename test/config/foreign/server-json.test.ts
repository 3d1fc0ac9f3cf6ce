import test from 'ava';
import fc from 'fast-check';
import { parseServerBody } from '../../../orchestrator/config/index.ts';

type Json = Record<string, unknown>;

const stdio = { type: 'stdio' };
const npm = (more: Json = {}): Json => ({
  registryType: 'npm',
  identifier: '@example/weather',
  version: '1.2.3',
  transport: stdio,
  ...more,
});
const oci = (more: Json = {}): Json => ({
  registryType: 'oci',
  identifier: 'ghcr.io/example/weather:1.2.3',
  transport: stdio,
  ...more,
});
const doc = (pack: Json, more: Json = {}): Json => ({
  $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
  name: 'io.github.example/Weather_Server',
  description: 'Says what the weather is.',
  version: '1.2.3',
  packages: [pack],
  ...more,
});

function entryOf(body: unknown): unknown {
  const parsed = parseServerBody(body);
  if (!parsed.ok) return parsed.problems.map(({ path, message }) => `${path}: ${message}`);
  return parsed.value.map(({ name, entry }) => ({ name, ...entry }))[0];
}

const converts = test.macro<[what: string, body: Json, entry: Json]>({
  exec(t, _, body, entry) {
    t.deepEqual(entryOf(body), { name: 'weather-server', ...entry });
  },
  title: (_, what) => `${what} is converted`,
});

test(
  converts,
  'an npm package',
  doc(npm({ runtimeHint: 'npx', runtimeArguments: [{ type: 'positional', value: '-y' }] })),
  {
    npm: '@example/weather@1.2.3',
  },
);
test(converts, 'a package without a version', doc(npm({ version: undefined })), { npm: '@example/weather' });
test(
  converts,
  'a Python package',
  doc(npm({ registryType: 'pypi', identifier: 'weather', runtimeHint: 'uvx' })),
  {
    pypi: 'weather==1.2.3',
  },
);
test(converts, 'an image', doc(oci({ runtimeHint: 'docker' })), { image: 'ghcr.io/example/weather:1.2.3' });
test(converts, 'an image whose tag stands apart', doc(oci({ identifier: 'example/weather', version: '2' })), {
  image: 'example/weather:2',
});
test(
  converts,
  'an image with harmless options',
  doc(
    oci({
      runtimeArguments: [
        { type: 'positional', value: 'run' },
        { type: 'named', name: '-i' },
        { type: 'named', name: '--rm' },
        { type: 'named', name: '-e', value: 'MODE=fast' },
        { type: 'named', name: '-e', value: 'TOKEN' },
      ],
      packageArguments: [{ type: 'positional', value: '/etc/inside-the-image' }],
      environmentVariables: [{ name: 'TOKEN', isSecret: true }],
    }),
  ),
  { image: 'ghcr.io/example/weather:1.2.3', args: ['/etc/inside-the-image'], env: { MODE: 'fast' } },
);
test(
  converts,
  'an argument of every kind',
  doc(
    npm({
      packageArguments: [
        { type: 'positional', value: 'serve', valueHint: 'command' },
        { type: 'positional', valueHint: 'city', isRepeated: true },
        { type: 'named', name: '--unit', choices: ['celsius', 'kelvin'], default: 'celsius' },
        { type: 'named', name: '--verbose' },
        { type: 'named', name: '--fast', format: 'boolean', default: 'true' },
        { type: 'named', name: '--slow', format: 'boolean', default: 'false' },
        { type: 'named', name: '--left-out', format: 'string' },
        { type: 'named', name: '--port', format: 'number', isRequired: true },
        {
          type: 'named',
          name: '--at',
          value: '{host}:{socket}/{other}',
          variables: { host: { default: 'localhost' }, socket: { isRequired: true } },
        },
      ],
    }),
    { answers: { city: ['Bonn', 'Köln'], port: '80', socket: '81' } },
  ),
  {
    npm: '@example/weather@1.2.3',
    args: [
      ...['serve', 'Bonn', 'Köln', '--unit', 'celsius', '--verbose', '--fast', '--port', '80'],
      ...['--at', 'localhost:81/{other}'],
    ],
  },
);
test(
  converts,
  'a required secret that is answered',
  doc(
    npm({
      environmentVariables: [
        { name: 'KEY', isRequired: true, isSecret: true },
        { name: 'MODE', value: 'x' },
      ],
    }),
    {
      answers: { KEY: 's3cret' },
    },
  ),
  { npm: '@example/weather@1.2.3', env: { KEY: 's3cret', MODE: 'x' } },
);
test(
  converts,
  'a path below /data, which becomes the volume,',
  doc(
    npm({
      packageArguments: [{ type: 'positional', valueHint: 'file', format: 'filepath', isRequired: true }],
    }),
    {
      answers: { file: '/data/notes.db' },
    },
  ),
  { npm: '@example/weather@1.2.3', args: ['/data/notes.db'], data: '/data' },
);
test(
  converts,
  'what the API of the registry answers',
  { server: doc(npm()), _meta: {} },
  {
    npm: '@example/weather@1.2.3',
  },
);
test(
  converts,
  'the first package that can be converted',
  doc(npm({ registryType: 'nuget' }), { packages: [npm({ registryType: 'nuget' }), oci(), npm()] }),
  { image: 'ghcr.io/example/weather:1.2.3' },
);

test(
  converts,
  'a server elsewhere, whose address has a variable,',
  doc(npm(), {
    packages: undefined,
    remotes: [
      { type: 'sse', url: 'https://a' },
      { type: 'streamable-http', url: 'https://{tenant}.example/mcp', variables: { tenant: {} } },
    ],
    answers: { tenant: 'us' },
  }),
  { url: 'https://us.example/mcp' },
);

test('another name can be given', (t) => {
  t.deepEqual(entryOf({ ...doc(npm()), as: 'sky' }), { name: 'sky', npm: '@example/weather@1.2.3' });
});

const refused = test.macro<[what: string, body: Json, ...problems: RegExp[]]>({
  exec(t, _, body, ...problems) {
    const told = entryOf(body) as string[];
    t.is(told.length, problems.length, told.join('\n'));
    for (const [index, problem] of problems.entries()) t.regex(told[index] ?? '', problem);
  },
  title: (_, what) => `${what} is refused`,
});

for (const kind of ['nuget', 'mcpb', 'cargo', '__proto__', 'constructor']) {
  test(
    refused,
    `a package of ${kind}`,
    doc(npm({ registryType: kind })),
    /^packages\[0\]\.registryType: must be one of npm/,
  );
}
test(
  refused,
  'a version that is a range',
  doc(npm({ version: '^1.2' })),
  /^packages\[0\]\.version: needs an exact version/,
);
test(
  refused,
  'a package that speaks HTTP',
  doc(npm({ transport: { type: 'sse', url: 'x' } })),
  /^packages\[0\]\.transport: is sse/,
);
test(
  refused,
  'a registry of its own',
  doc(npm({ registryBaseUrl: 'https://evil.example' })),
  /registryBaseUrl: is not where/,
);
test(
  refused,
  'an image with a registry apart',
  doc(oci({ registryBaseUrl: 'https://x.example' })),
  /registryBaseUrl/,
);
test(
  refused,
  'a version twice',
  doc(oci({ version: '9' })),
  /^packages\[0\]\.version: stands in the identifier/,
);
test(refused, 'a hash that nobody checks', doc(npm({ fileSha256: 'ab' })), /fileSha256: cannot be checked/);
test(refused, 'another runtime', doc(npm({ runtimeHint: 'bunx' })), /runtimeHint: must be npx for npm/);
test(
  refused,
  'a remote server over HTTP+SSE',
  doc(npm(), { packages: undefined, remotes: [{ type: 'sse', url: 'https://x' }] }),
  /^remotes\[0\]\.type: must be http or streamable-http/,
);
test(
  refused,
  'a document without a package',
  doc(npm(), { packages: [] }),
  /^packages: is required, unless there are remotes/,
);
test(
  refused,
  'an address without its variable',
  doc(npm(), {
    packages: undefined,
    remotes: [{ type: 'streamable-http', url: 'https://{t}/mcp', variables: { t: {} } }],
  }),
  /^remotes\[0\]\.variables\.t: t is required: give it as answers\.t/,
);
for (const option of [
  '--privileged',
  '--network=host',
  '-v',
  '--mount',
  '-p',
  '--cap-add=ALL',
  '--pid=host',
  '-d',
]) {
  test(
    refused,
    `docker ${option}`,
    doc(oci({ runtimeArguments: [{ type: 'named', name: option }] })),
    new RegExp(`^packages\\[0\\]\\.runtimeArguments\\[0\\]: ${option}`),
  );
}
test(
  refused,
  'an option of npx',
  doc(npm({ runtimeArguments: [{ type: 'named', name: '--registry', value: 'x' }] })),
  /--registry cannot/,
  /x cannot/,
);
test(
  refused,
  'every option of docker that is not on the list, each with its reason,',
  doc(
    oci({
      runtimeArguments: [
        { type: 'named', name: '--privileged', value: 'x' },
        { type: 'named', name: '-v', value: '/:/host' },
        { type: 'named', name: '--network', value: 'host' },
        { type: 'positional', value: 'another/image' },
      ],
    }),
  ),
  /runtimeArguments\[0\]: --privileged cannot be converted/,
  /runtimeArguments\[1\]: -v mounts a path of the host/,
  /runtimeArguments\[2\]: --network chooses a network/,
  /runtimeArguments\[3\]: another\/image is no option/,
);
test(
  refused,
  'a path of the host',
  doc(
    npm({
      packageArguments: [{ type: 'positional', value: '/home/me' }],
      environmentVariables: [{ name: 'DIR', value: '~/x' }],
    }),
  ),
  /^packages\[0\]\.packageArguments\[0\]: is a path of the host/,
  /^packages\[0\]\.environmentVariables\[0\]: is a path of the host/,
);
for (const path of ['/data/../etc', '/database', '/etc/data/x']) {
  test(
    refused,
    `the path ${path}`,
    doc(npm({ packageArguments: [{ type: 'positional', value: path }] })),
    /is a path of the host/,
  );
}
test(
  refused,
  'a placeholder',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write placeholders like this
  doc(npm({ packageArguments: [{ type: 'positional', value: '${workspaceFolder}' }] })),
  /^packages\[0\]\.packageArguments\[0\]: has a placeholder/,
);
test(
  refused,
  'what nobody has answered',
  doc(
    npm({
      packageArguments: [{ type: 'named', name: '--city', isRequired: true }],
      environmentVariables: [
        { name: 'KEY', isRequired: true, isSecret: true, description: 'Of the service.' },
        { name: 'OPTIONAL_KEY', isSecret: true },
      ],
    }),
  ),
  /^packages\[0\]\.packageArguments\[0\]: city is required: give it as answers\.city/,
  /^packages\[0\]\.environmentVariables\[0\]: KEY \(Of the service\.\) is required and secret/,
);
test(
  refused,
  'an answer that does not fit',
  doc(
    npm({
      packageArguments: [
        { type: 'named', name: '--unit', choices: ['c', 'k'] },
        { type: 'named', name: '--port', format: 'number' },
        { type: 'named', name: '--fast', format: 'boolean' },
      ],
    }),
    { answers: { unit: 'f', port: 'x', fast: 'yes' } },
  ),
  /^answers\.unit: must be one of c, k/,
  /^answers\.port: must be a number/,
  /^answers\.fast: must be true or false/,
);
test(
  refused,
  'an answer that nothing asks for',
  doc(npm(), { answers: { KEYY: 'x' } }),
  /^answers\.KEYY: is asked for by nothing/,
);
test(
  refused,
  'a server.json of the old schema',
  doc({
    registry_type: 'npm',
    identifier: 'x',
    package_arguments: [{ type: 'positional', value_hint: 'x' }],
  }),
  /^packages\[0\]\.registry_type: is of a server\.json from before 2025-09-16.*registryType/,
  /^packages\[0\]\.package_arguments: .*packageArguments/,
);
test(
  refused,
  'a document of many mistakes, all at once and each at its place,',
  doc(
    npm({ registryTyp: 'npm', packageArguments: [{ type: 'both' }, { type: 'named' }], transport: 'stdio' }),
  ),
  /^packages\[0\]\.transport: must be/,
  /^packages\[0\]\.packageArguments\[0\]\.type: must be positional or named/,
  /^packages\[0\]\.packageArguments\[1\]\.name: is required/,
  /^packages\[0\]\.registryTyp: is not a known key. Did you mean "registryType"/,
);

test('whatever the document, the answer is a server or problems, and no docker option gets through', (t) => {
  const text = fc.oneof(
    fc.string(),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: editors write placeholders like this
    fc.constantFrom('-v', '--privileged', '-e', 'A=1', '${x}', '{v}', '/etc', 'run', '-i'),
  );
  const argument = fc.record(
    {
      type: fc.constantFrom('positional', 'named', 'other'),
      name: text,
      value: text,
      default: text,
      valueHint: text,
      isRequired: fc.boolean(),
      isRepeated: fc.boolean(),
      isSecret: fc.boolean(),
      format: fc.constantFrom('string', 'number', 'boolean', 'filepath', 'x'),
      choices: fc.array(text),
      variables: fc.dictionary(text, fc.record({ default: text }, { requiredKeys: [] })),
    },
    { requiredKeys: ['type'] },
  );
  const pack = fc.record(
    {
      registryType: fc.constantFrom('npm', 'pypi', 'oci', 'nuget'),
      identifier: fc.oneof(text, fc.constant('a')),
      version: fc.oneof(text, fc.constant('1.0.0')),
      transport: fc.constant(stdio),
      runtimeArguments: fc.array(argument),
      packageArguments: fc.array(argument),
      environmentVariables: fc.array(argument),
    },
    { requiredKeys: ['registryType', 'identifier', 'transport'] },
  );
  const body = fc.record({
    name: text,
    packages: fc.array(fc.oneof(pack, fc.jsonValue())),
    answers: fc.dictionary(text, text),
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(body, (document) => {
        const parsed = parseServerBody(document);
        if (!parsed.ok) return parsed.problems.length > 0;
        const allowed = new Set(['npm', 'pypi', 'image', 'args', 'env', 'data', 'url']);
        return parsed.value.every(({ entry }) => Object.keys(entry).every((key) => allowed.has(key)));
      }),
      { numRuns: 500 },
    ),
  );
});
