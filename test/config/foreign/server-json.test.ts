import test from 'ava';
import { doc, entryOf, type Json, npm, oci } from './server-document.ts';

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
