import test from 'ava';
import fc from 'fast-check';
import { loadConfig, type Problem, problemText } from '../../orchestrator/config/index.ts';

function load(text: string) {
  return loadConfig(text, { baseDir: '/etc/gantry' });
}

function problemsOf(text: string): readonly Problem[] {
  const loaded = load(text);
  return loaded.ok ? [] : loaded.problems;
}

function linesOf(text: string): string[] {
  return problemsOf(text).map((problem) => problemText('gantry.yaml', problem));
}

const defaults = {
  origin: 'file',
  args: [],
  env: {},
  sharing: 'session',
  replicas: 1,
  maxSessions: 20,
  resources: { memoryBytes: 256 * 1024 ** 2, cpus: 1, pids: 128 },
  network: 'none',
  data: null,
  timeouts: {
    readyMs: 60_000,
    callTimeoutMs: 60_000,
    maxCallMs: 3_600_000,
    sessionIdleMs: 1_800_000,
    drainMs: 20_000,
  },
  port: null,
};

test('every default is the documented one', (t) => {
  t.deepEqual(load('servers: {x: {npm: "@scope/x@1.2.3"}}'), {
    ok: true,
    settings: {
      auth: { tokens: [] },
      http: { allowedOrigins: [], allowedHosts: [], maxBodyBytes: 4 * 1024 ** 2 },
      limits: { maxLineBytes: 16 * 1024 ** 2 },
    },
    servers: [
      { name: 'x', ...defaults, source: { kind: 'npm', name: '@scope/x', version: '1.2.3', bin: null } },
    ],
  });
});

test('every key of a server arrives where it belongs', (t) => {
  const loaded = load(`
servers:
  x:
    pypi: some_server==1.0
    bin: some-server
    args: [--verbose]
    env: {TZ: UTC}
    sharing: principal
    replicas: 2
    maxSessions: 0
    resources: {memory: 64Mi, cpus: 0.5, pids: 64}
    network: internet
    data: /data/
    timeouts: {readyMs: 1, callTimeoutMs: 2, maxCallMs: 3, sessionIdleMs: 4, drainMs: 0}
    port: 3001
`);
  t.deepEqual(loaded.ok && loaded.servers, [
    {
      name: 'x',
      origin: 'file',
      source: { kind: 'pypi', name: 'some_server', version: '1.0', bin: 'some-server' },
      args: ['--verbose'],
      env: { TZ: 'UTC' },
      sharing: 'principal',
      replicas: 2,
      maxSessions: 0,
      resources: { memoryBytes: 64 * 1024 ** 2, cpus: 0.5, pids: 64 },
      network: 'internet',
      data: '/data',
      timeouts: { readyMs: 1, callTimeoutMs: 2, maxCallMs: 3, sessionIdleMs: 4, drainMs: 0 },
      port: 3001,
    },
  ]);
});

const source = test.macro({
  exec(t, entry: string, expected: Record<string, unknown>) {
    const loaded = load(`servers: {x: {${entry}}}`);
    t.deepEqual(loaded.ok ? loaded.servers[0]?.source : loaded.problems, expected as never);
  },
  title: (_, entry) => `a source may be written ${entry}`,
});

test(source, 'npm: x', { kind: 'npm', name: 'x', version: null, bin: null });
test(source, 'npm: "x@1.0.0-rc.1"', { kind: 'npm', name: 'x', version: '1.0.0-rc.1', bin: null });
test(source, 'pypi: x', { kind: 'pypi', name: 'x', version: null, bin: null });
test(source, 'pypi: "x==2!1.0.post1"', { kind: 'pypi', name: 'x', version: '2!1.0.post1', bin: null });
test(source, 'image: "localhost:5000/a/b:1"', {
  kind: 'image',
  image: 'localhost:5000/a/b:1',
  command: null,
});
test(source, `image: "b@sha256:${'a'.repeat(64)}"`, {
  kind: 'image',
  image: `b@sha256:${'a'.repeat(64)}`,
  command: null,
});
test(source, 'image: b, command: [run, -x]', { kind: 'image', image: 'b', command: ['run', '-x'] });
test(source, 'build: ./servers/clock', { kind: 'build', path: '/etc/gantry/servers/clock', command: null });
test(source, 'build: .', { kind: 'build', path: '/etc/gantry', command: null });

test('nothing, only comments, and sections without content are fine', (t) => {
  for (const text of [
    '',
    '# nothing yet\n',
    'servers:\n',
    'servers: {}\nmcpServers:\n',
    '---\n',
    '\uFEFFservers:\n',
  ]) {
    const loaded = load(text);
    t.deepEqual(loaded.ok ? loaded.servers : loaded.problems, [], JSON.stringify(text));
  }
});

test('settings and tokens are read apart from the servers', (t) => {
  const sha256 = 'AB'.repeat(32);
  const loaded = load(`
auth: {tokens: [{principal: alice, sha256: "${sha256}", scopes: [call, admin]}, {principal: bob, sha256: "${'1'.repeat(64)}"}]}
http: {allowedOrigins: ["https://chat.example.com"], allowedHosts: ["gantry.example.com:7400", "[::1]"], maxBodyBytes: 1m}
limits: {maxLineBytes: 1048576}
`);
  t.deepEqual(loaded.ok && loaded.settings, {
    auth: {
      tokens: [
        { principal: 'alice', sha256: sha256.toLowerCase(), scopes: ['call', 'admin'] },
        { principal: 'bob', sha256: '1'.repeat(64), scopes: ['call'] },
      ],
    },
    http: {
      allowedOrigins: ['https://chat.example.com'],
      allowedHosts: ['gantry.example.com:7400', '[::1]'],
      maxBodyBytes: 1024 ** 2,
    },
    limits: { maxLineBytes: 1024 ** 2 },
  });
});

test('all problems are reported at once, in the order of the file, with line and column', (t) => {
  const text = `limtis: {}
servers:
  Bad_Name: {npm: x@latest}
  x:
    npm: x
    image: y
    resorces: {memory: 1GiB}
    resources:
      memory: lots
      cpu: 1
    args: [1]
    port: 80
  y:
`;
  t.deepEqual(
    linesOf(text).map((line) => line.replace(/: .*/, '')),
    [
      'gantry.yaml:1:1 limtis',
      'gantry.yaml:3:3 servers.Bad_Name',
      'gantry.yaml:3:19 servers.Bad_Name.npm',
      'gantry.yaml:6:5 servers.x.image',
      'gantry.yaml:7:5 servers.x.resorces',
      'gantry.yaml:9:15 servers.x.resources.memory',
      'gantry.yaml:10:7 servers.x.resources.cpu',
      'gantry.yaml:11:12 servers.x.args[0]',
      'gantry.yaml:12:11 servers.x.port',
      'gantry.yaml:13:3 servers.y',
    ],
  );
});

const mistake = test.macro<[text: string, expected: RegExp]>({
  exec(t, text: string, expected: RegExp) {
    const lines = linesOf(text);
    t.true(
      lines.some((line) => expected.test(line)),
      `${JSON.stringify(lines, null, 1)} has nothing like ${expected}`,
    );
  },
  title: (_, text, expected) => `${JSON.stringify(text).slice(0, 80)} is refused: ${expected.source}`,
});

// The file as a whole.
test(mistake, 'a: [1,', /gantry\.yaml:1:\d+ /);
test(mistake, '- x', /must be a map/);
test(mistake, 'servers: [x]', /gantry\.yaml:1:1 servers: must be a map/);
test(mistake, 'servers: {x: {npm: a}, x: {npm: b}}', /unique/);
test(mistake, 'servers: {x: {npm: a}}\n---\nservers: {}', /multiple documents/);
test(mistake, 'servers: {x: !secret {npm: a}}', /tag/i);
test(mistake, 'servers: *nowhere', /alias/i);
test(mistake, 'servers: &s {x: *s}', /./);
test(mistake, `a: &a [x,x,x,x,x,x,x,x,x]\n${bomb()}`, /alias/i);
test(mistake, `servers: ${'['.repeat(100_000)}`, /gantry\.yaml/);
test(mistake, `servers: ${'{a: '.repeat(60)}1${'}'.repeat(60)}`, /nested over 32 levels/);
test(mistake, 'x'.repeat(2 ** 20 + 1), /over 1 MiB/);
test(mistake, 'server: {}', /server: is not a known key\. Did you mean "servers"\?/);
test(mistake, 'wholly-else: {}', /Known here: .*servers/);
test(mistake, '__proto__: {servers: {}}', /__proto__: is not a name/);
test(mistake, 'servers: {__proto__: {npm: x}}', /servers\.__proto__/);
test(mistake, 'servers: {x: {npm: x, env: {__proto__: "1"}}}', /servers\.x\.env\.__proto__/);

// Names.
for (const name of ['X', '1x', '-x', 'x_y', '"x y"', 'ä', `a${'b'.repeat(63)}`, '""']) {
  test(mistake, `servers: {${name}: {npm: x}}`, /a name is a lower-case letter/);
}
test(mistake, 'servers: {myServer: {npm: x}}', /such as "my-server"/);

// Sources.
test(mistake, 'servers: {x: {args: [a]}}', /servers\.x: needs one of npm, pypi, image, build/);
test(mistake, 'servers: {x: {npm: a, build: ./b}}', /x\.build: npm is given already/);
for (const npm of ['x@latest', 'x@^1.0.0', 'x@1', 'x@1.x', 'x@*', 'x@', 'x@>=1.0.0', '@a/b@next']) {
  test(mistake, `servers: {x: {npm: "${npm}"}}`, /x\.npm: .*exact version/);
}
for (const npm of [
  'https://a/b.tgz',
  'git+ssh://git@a/b.git',
  'github:a/b',
  'file:../x',
  './x',
  '/x',
  'a@npm:b@1.0.0',
  '~/x',
]) {
  test(mistake, `servers: {x: {npm: "${npm}"}}`, /x\.npm: must be a package of the npm registry/);
}
for (const npm of ['--global', '-g', 'a b', '', 'a/b', '@a', 'A', 'x;id', 'x$(id)']) {
  test(mistake, `servers: {x: {npm: "${npm}"}}`, /x\.npm: /);
}
for (const pypi of ['x>=1', 'x~=1.0', 'x==1.*', 'x===1', 'x!=1', 'x,y', 'x==', 'x==latest']) {
  test(mistake, `servers: {x: {pypi: "${pypi}"}}`, /x\.pypi: /);
}
for (const pypi of [
  'x @ https://a/b',
  'git+https://a',
  './x',
  '/x',
  'x.whl',
  '-r',
  '--index-url',
  'x[cli]',
  '',
]) {
  test(mistake, `servers: {x: {pypi: "${pypi}"}}`, /x\.pypi: /);
}
for (const image of [
  '--privileged',
  'a b',
  '-v',
  'A/B',
  'a:',
  'a@sha256:12',
  '/a',
  './a',
  '',
  'a:b:c',
  'a//b',
  'https://a/b',
]) {
  test(mistake, `servers: {x: {image: "${image}"}}`, /x\.image: .*is not an image reference/);
}
for (const build of ['/etc', '../x', './a/../../b', '~/x', '', 'https://a/b.git']) {
  test(mistake, `servers: {x: {build: "${build}"}}`, /x\.build: must be a directory/);
}
test(mistake, 'servers: {x: {image: a, bin: b}}', /x\.bin: is for npm and pypi/);
test(mistake, 'servers: {x: {build: ./a, bin: b}}', /x\.bin: is for npm and pypi/);
test(mistake, 'servers: {x: {npm: a, command: [b]}}', /x\.command: is for image and build/);
test(mistake, 'servers: {x: {pypi: a, command: [b]}}', /x\.command: is for image and build/);
test(mistake, 'servers: {x: {npm: a, bin: ../b}}', /x\.bin: must be the name of a program/);
test(mistake, 'servers: {x: {image: a, command: []}}', /x\.command: must be at least 1 long/);
test(mistake, 'servers: {x: {image: a, command: run -x}}', /x\.command: must be a list/);

// Values.
test(mistake, 'servers: {x: {npm: a, args: [1]}}', /x\.args\[0\]: must be a string: put it in quotes, "1"/);
test(mistake, 'servers: {x: {npm: a, args: ["a\\0b"]}}', /x\.args\[0\]: must not contain NUL/);
test(mistake, 'servers: {x: {npm: a, env: {A: true}}}', /x\.env\.A: must be a string: put it in quotes/);
test(mistake, 'servers: {x: {npm: a, env: {A: null}}}', /x\.env\.A: must be a string; it is empty/);
for (const key of ['A=B', '1A', '"A B"', '""', '"A\\n"']) {
  test(mistake, `servers: {x: {npm: a, env: {${key}: v}}}`, /x\.env.*is not a name/);
}
test(mistake, 'servers: {x: {npm: a, sharing: sesion}}', /x\.sharing: .*Did you mean "session"/);
test(mistake, 'servers: {x: {npm: a, network: host}}', /x\.network: must be one of none, internet/);
for (const memory of ['256MB', '256M', '1 GiB', '-1', '1.5', '"0"', 'lots', '5MiB', 'true', '1e400', '[]']) {
  test(
    mistake,
    `servers: {x: {npm: a, resources: {memory: ${memory}}}}`,
    /x\.resources\.memory: must be a size/,
  );
}
for (const [key, value] of [
  ['cpus', '0'],
  ['cpus', '"1"'],
  ['cpus', '.inf'],
  ['cpus', '.nan'],
  ['pids', '0'],
  ['pids', '-1'],
  ['pids', '1.5'],
]) {
  test(
    mistake,
    `servers: {x: {npm: a, resources: {${key}: ${value}}}}`,
    new RegExp(`x\\.resources\\.${key}: must be`),
  );
}
for (const [key, value] of [
  ['replicas', '0'],
  ['replicas', '101'],
  ['replicas', '1.5'],
  ['maxSessions', '-1'],
  ['port', '"3001"'],
  ['port', '80'],
  ['port', '3020'],
]) {
  test(mistake, `servers: {x: {npm: a, ${key}: ${value}}}`, new RegExp(`x\\.${key}: must be`));
}
for (const [key, value] of [
  ['readyMs', '0'],
  ['callTimeoutMs', '60s'],
  ['maxCallMs', '2147483648'],
  ['drainMs', '-1'],
  ['sessionIdleMs', '0.5'],
]) {
  test(
    mistake,
    `servers: {x: {npm: a, timeouts: {${key}: ${value}}}}`,
    new RegExp(`x\\.timeouts\\.${key}: must be`),
  );
}
test(mistake, 'servers: {x: {npm: a, timeouts: {readyms: 1}}}', /Did you mean "readyMs"/);
for (const data of [
  '/',
  '//',
  '/proc',
  '/proc/self',
  '/sys',
  '/dev/shm',
  '/tmp',
  '/tmp/x',
  '/etc/x',
  '/usr',
  '/run',
  '/var/run/x',
  '/bin/',
]) {
  test(mistake, `servers: {x: {npm: a, data: "${data}"}}`, /x\.data: .*belongs to the system/);
}
for (const data of ['data', './data', '', '/a/../proc', '/a/./b', '/a:ro', '/a,b', '/a\\n']) {
  test(mistake, `servers: {x: {npm: a, data: "${data}"}}`, /x\.data: must/);
}
test(
  mistake,
  'servers: {x: {npm: a, sharing: call, data: /data}}',
  /x\.data: cannot be kept under sharing: call/,
);
test(
  mistake,
  'servers: {x: {npm: a, port: 3001}, y: {npm: a, port: 3001}}',
  /y\.port: 3001 is the port of "x" already/,
);

// Settings.
const hash = 'a'.repeat(64);
test(mistake, 'auth: {tokens: [{principal: a}]}', /auth\.tokens\[0\]\.sha256: is required/);
test(mistake, 'auth: {tokens: [{principal: a, sha256: abc}]}', /64 hex digits/);
test(
  mistake,
  `auth: {tokens: [{principal: a, sha256: ${hash}, scopes: []}]}`,
  /scopes: must be at least 1 long/,
);
test(
  mistake,
  `auth: {tokens: [{principal: a, sha256: ${hash}, scopes: [root]}]}`,
  /must be one of call, admin/,
);
test(mistake, `auth: {tokens: [{principal: anonymous, sha256: ${hash}}]}`, /without a token/);
test(
  mistake,
  `auth: {tokens: [{principal: a, token: x, sha256: ${hash}}]}`,
  /tokens\[0\]\.token: is not a known key/,
);
test(
  mistake,
  `auth: {tokens: [{principal: a, sha256: ${hash}}, {principal: b, sha256: ${hash.toUpperCase()}}]}`,
  /tokens\[1\]\.sha256: is the hash of an earlier token/,
);
for (const origin of [
  'null',
  '*',
  'https://*.x.com',
  'https://x.com/',
  'https://X.com',
  'x.com',
  'https://x.com:443',
]) {
  test(mistake, `http: {allowedOrigins: ["${origin}"]}`, /http\.allowedOrigins\[0\]: must be an origin/);
}
for (const allowed of ['*', 'X.com', 'x.com/', 'https://x.com', 'x:99999', '']) {
  test(mistake, `http: {allowedHosts: ["${allowed}"]}`, /http\.allowedHosts\[0\]: must be a lower-case host/);
}
test(mistake, 'http: {maxBodyBytes: 0}', /http\.maxBodyBytes: must be a size of at least 1KiB/);
test(mistake, 'limits: {maxLineBytes: 1TiB}', /limits\.maxLineBytes: must be a size/);
test(mistake, 'http: {allowedOrigin: []}', /Did you mean "allowedOrigins"/);

test('a list that is used twice through an anchor is fine', (t) => {
  t.deepEqual(linesOf('servers: {x: {npm: a, args: &args [b]}, y: {npm: a, args: *args}}'), []);
});

test('names that JavaScript knows are names like any other', (t) => {
  const loaded = load('servers: {constructor: {npm: a}}');
  t.deepEqual(loaded.ok && loaded.servers.map(({ name }) => name), ['constructor']);
});

test('whatever the text, the answer is servers or problems with a line inside it, never an exception', (t) => {
  const piece = fc.constantFrom(
    'servers',
    'npm',
    ':',
    ' ',
    '\n',
    '  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&a',
    '*a',
    '"',
    '|',
    '#',
    '!!set',
    '<<',
    'x',
    '1',
    '\t',
    '?',
    '%',
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 30 }).map((parts) => parts.join('')),
        ),
        (text) => {
          const loaded = load(text);
          const lastLine = text.split(/\r?\n/).length;
          return (
            loaded.ok ||
            (loaded.problems.length > 0 &&
              loaded.problems.every(({ line }) => line !== null && line >= 1 && line <= lastLine))
          );
        },
      ),
      { numRuns: 500 },
    ),
  );
});

/** Nine anchors, each nine times the one before: 9^9 strings when expanded. */
function bomb(): string {
  const names = 'abcdefghi'.split('');
  return names
    .slice(1)
    .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${names[index]}`).join(',')}]`)
    .join('\n');
}

test('a problem is one line, whatever a key holds', (t) => {
  const [line] = linesOf('servers: {x: {npm: a, "b\\n\\e[31m": 1}}');
  t.is(line?.split('\n').length, 1);
  t.regex(line ?? '', /servers\.x\.b\\u000a\\u001b\[31m: is not a known key/);
});
