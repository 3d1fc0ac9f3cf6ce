import test from 'ava';
import fc from 'fast-check';
import { loadConfig } from '../../orchestrator/config/index.ts';
import { linesOf } from './mistake.ts';

function load(text: string) {
  return loadConfig(text, { baseDir: '/etc/gantry' });
}

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
    limits: { maxLineBytes: 1024 ** 2, memoryBudgetBytes: null },
    registry: { allowedAddresses: [] },
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

test('a problem is one line, whatever a key holds', (t) => {
  const [line] = linesOf('servers: {x: {npm: a, "b\\n\\e[31m": 1}}');
  t.is(line?.split('\n').length, 1);
  t.regex(line ?? '', /servers\.x\.b\\u000a\\u001b\[31m: is not a known key/);
});
