import test from 'ava';
import fc from 'fast-check';
import { parseServerBody } from '../../../orchestrator/config/index.ts';
import { doc, npm, refused, stdio } from './server-document.ts';

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
