import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { loadConfig } from '../../orchestrator/config/index.ts';
import { additionOf } from '../../scripts/add/addition.ts';
import { askOn } from '../../scripts/add/ask.ts';
import { withServers } from '../../scripts/add/insert.ts';

const root = join(import.meta.dirname, '../..');
const program = join(root, 'scripts/add.ts');
const before = '# Mine.\nservers:\n  one: {npm: "x@1.0.0"} # the first\n\n# The end.\nlimits: {}\n';
const weather = {
  name: 'io.github.example/weather',
  packages: [
    {
      registryType: 'npm',
      identifier: 'weather',
      version: '1.0.0',
      transport: { type: 'stdio' },
      packageArguments: [{ type: 'named', name: '--unit', isRequired: true, choices: ['c', 'k'] }],
      environmentVariables: [
        { name: 'KEY', isRequired: true, isSecret: true, description: 'Of the service' },
      ],
    },
  ],
};

/** A directory with a gantry.yaml and a document. */
async function place(t: ExecutionContext, document: unknown, yaml = before): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'gantry-add-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  await Promise.all([
    writeFile(join(directory, 'gantry.yaml'), yaml),
    writeFile(join(directory, 'x.json'), text),
  ]);
  return directory;
}

function run(directory: string, ...args: readonly string[]) {
  const command = [program, 'x.json', '--config', 'gantry.yaml', ...args];
  const env = { ...process.env, INIT_CWD: directory };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, command, { env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
    child.stdin?.end();
  });
}

test('a server is written behind the others, its secret into a file, and nothing else is touched', async (t) => {
  const directory = await place(t, weather);
  const { code, stderr } = await run(directory, '--answer', 'KEY=s3cret', '--answer', 'unit=c');
  t.is(code, 0, stderr);
  const after = await readFile(join(directory, 'gantry.yaml'), 'utf8');
  const added = [
    '  weather:',
    '    npm: weather@1.0.0',
    '    args:',
    '      - --unit',
    '      - c',
    '    env:',
    '      KEY:',
    '        file: secrets/weather.KEY',
  ];
  const first = '  one: {npm: "x@1.0.0"} # the first\n';
  t.is(after, before.replace(first, `${first}\n${added.join('\n')}\n`));
  t.is(await readFile(join(directory, 'secrets/weather.KEY'), 'utf8'), 's3cret\n');
  t.is(
    (await stat(join(directory, 'secrets/weather.KEY'))).mode & 0o777,
    0o644,
    'the orchestrator can read it',
  );
  const loaded = loadConfig(after, { baseDir: directory });
  t.deepEqual(loaded.ok && loaded.servers[1]?.env, { KEY: 's3cret' });
});

test('without a terminal everything that is missing is named at once, and nothing is written', async (t) => {
  const directory = await place(t, weather);
  const { code, stderr } = await run(directory);
  t.is(code, 1);
  t.regex(stderr, /x\.json packages\[0\]\.packageArguments\[0\]: unit is required: give it as answers\.unit/);
  t.regex(stderr, /environmentVariables\[0\]: KEY \(Of the service\) is required and secret/);
  t.regex(stderr, /Nothing was changed\./);
  t.is(await readFile(join(directory, 'gantry.yaml'), 'utf8'), before);
});

test('on a terminal they are asked for, a wrong answer again, and a secret is not shown', async (t) => {
  const directory = await place(t, weather);
  const command = `${process.execPath} ${program} x.json --config gantry.yaml`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, INIT_CWD: directory },
  });
  let shown = '';
  const replies = [
    [/unit \(one of c, k\): $/, 'f\r'],
    [/unit must be one of c, k\s+unit \(one of c, k\): $/, 'k\r'],
    [/KEY \(Of the service; not shown\): $/, 's3cret\r'],
  ] as const;
  let turn = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: how a terminal is told where to write
    shown += chunk.replace(/\x1b\[\d*[A-Z]/g, '');
    const [prompt, reply] = replies[turn] ?? [];
    if (prompt === undefined || reply === undefined || !prompt.test(shown)) return;
    turn++;
    child.stdin.write(reply);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  t.is(code, 0, shown);
  t.notRegex(shown, /s3cret/);
  t.is(await readFile(join(directory, 'secrets/weather.KEY'), 'utf8'), 's3cret\n');
  t.regex(await readFile(join(directory, 'gantry.yaml'), 'utf8'), /- --unit\n {6}- k/);
});

test('who leaves in the middle of the questions has changed nothing', async (t) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const asking = askOn(input, output);
  const answer = asking.ask({
    id: 'KEY',
    at: [],
    description: null,
    isRequired: true,
    isSecret: true,
    isRepeated: false,
    choices: [],
  });
  input.write('\x03');
  await t.throwsAsync(answer, { message: 'Left without an answer. Nothing was changed.' });
  output.end();
  t.regex(await readAll(output), /KEY \(not shown\): /);
});

test('a document with comments is read, and one that is broken is refused with its place', async (t) => {
  const good = await place(t, '{ // mine\n "servers": {"a": {"command": "npx", "args": ["x@1.0.0",],},}, }');
  t.is((await run(good)).code, 0);
  const bad = await place(t, '{\n  "servers": {{}\n}');
  const { code, stderr } = await run(bad);
  t.is(code, 1);
  t.regex(stderr, /x\.json:2:15 is not JSON/);
});

const refused = test.macro<[what: string, document: unknown, args: readonly string[], expected: RegExp]>({
  async exec(t, _, document, args, expected) {
    const directory = await place(t, document);
    const { code, stderr } = await run(directory, ...args);
    t.is(code, 1);
    t.regex(stderr, expected);
    t.is(await readFile(join(directory, 'gantry.yaml'), 'utf8'), before);
  },
  title: (_, what) => `${what} is refused, and nothing is written`,
});
const one = { servers: { one: { command: 'npx', args: ['x'] } } };
const named = {
  ...weather,
  packages: [{ ...weather.packages[0], packageArguments: [], environmentVariables: [] }],
};

test(refused, 'a name that is taken', one, [], /gantry\.yaml servers\.one: is there already/);
test(refused, 'something else', { hello: 1 }, [], /x\.json is neither a server\.json/);
test(refused, 'a list', [], [], /x\.json must be a JSON object/);
test(refused, 'a wrong name', named, ['--as', 'My Server'], /x\.json as: a name is .*such as "my-server"/);
test(
  refused,
  'an option that there is not',
  named,
  ['--name', 'x'],
  /Unknown option '--name'[\s\S]*npm run add -- FILE/,
);
test(
  refused,
  'an answer that nothing asks for',
  named,
  ['--answer', 'KEYY=x'],
  /answers\.KEYY: is asked for by nothing/,
);
test(
  refused,
  'a document of the registry that asks for a mount',
  {
    name: 'a/b',
    packages: [
      {
        registryType: 'oci',
        identifier: 'a/b:1',
        transport: { type: 'stdio' },
        runtimeArguments: [{ type: 'named', name: '-v', value: '/:/host' }],
      },
    ],
  },
  [],
  /runtimeArguments\[0\]: -v mounts a path of the host/,
);

test('a secret among the arguments is refused: gantry.yaml would show it', (t) => {
  const document = {
    name: 'a/b',
    packages: [
      {
        registryType: 'npm',
        identifier: 'b',
        transport: { type: 'stdio' },
        packageArguments: [{ type: 'named', name: '--key', isSecret: true, isRequired: true }],
      },
    ],
  };
  const { problems } = additionOf(document, { key: 'x' }, null);
  const message =
    'is a secret among the arguments or in an address, which gantry.yaml would show to everybody';
  t.deepEqual(problems, [{ path: ['packages', 0, 'packageArguments', 0], message }]);
});

test('a secret in -e of a docker run goes into a file as well', (t) => {
  const document = {
    name: 'a/b',
    packages: [
      {
        registryType: 'oci',
        identifier: 'a/b:1',
        transport: { type: 'stdio' },
        runtimeArguments: [
          {
            type: 'named',
            name: '-e',
            value: 'TOKEN={token}',
            isRequired: true,
            variables: { token: { isSecret: true, isRequired: true } },
          },
        ],
      },
    ],
  };
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
