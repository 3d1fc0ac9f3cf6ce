import test from 'ava';
import fc from 'fast-check';
import { loadConfig } from '../../orchestrator/config/index.ts';
import { BALANCE_DEFAULTS } from '../fakes/balance-defaults.ts';
import { BREAKER, HEALTH } from '../fakes/policies.ts';
import { linesOf } from './mistake.ts';

function load(text: string) {
  return loadConfig(text, { baseDir: '/etc/gantry' });
}

const defaults = {
  origin: 'file',
  args: [],
  env: {},
  sharing: 'session',
  replicas: 1,
  scaling: { max: 1, warm: 0, targetInFlight: 4, scaleDownAfterMs: 300_000 },
  idle: { pauseAfterMs: null, stopAfterMs: null },
  maxSessions: 20,
  resources: { memoryBytes: 256 * 1024 ** 2, cpus: 1, pids: 128 },
  network: 'none',
  channel: 'auto',
  runtime: 'runc',
  data: null,
  timeouts: {
    readyMs: 60_000,
    callTimeoutMs: 60_000,
    maxCallMs: 3_600_000,
    sessionIdleMs: 1_800_000,
    drainMs: 20_000,
  },
  breaker: BREAKER,
  health: HEALTH,
  ...BALANCE_DEFAULTS,
  port: null,
  dependsOn: [],
  rollout: { watchMs: 10_000, sessionsMs: 1_800_000 },
  tools: { allow: null, deny: [] },
  disabled: null,
};

test('every default is the documented one', (t) => {
  t.deepEqual(load('servers: {x: {npm: "@scope/x@1.2.3"}}'), {
    ok: true,
    settings: {
      auth: { tokens: [] },
      http: { allowedOrigins: [], allowedHosts: [], maxBodyBytes: 4 * 1024 ** 2 },
      limits: { maxLineBytes: 16 * 1024 ** 2, memoryBudgetBytes: null },
      registry: { allowedAddresses: [] },
    },
    sets: [],
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
    replicas: {min: 2, max: 2, warm: 3, targetInFlight: 1, scaleDownAfterMs: 1000}
    idle: {pauseAfterMs: 1000, stopAfterMs: 2000}
    maxSessions: 0
    resources: {memory: 64Mi, cpus: 0.5, pids: 64}
    network: internet
    channel: attach
    runtime: runc
    data: /data/
    timeouts: {readyMs: 1, callTimeoutMs: 2, maxCallMs: 3, sessionIdleMs: 4, drainMs: 0}
    breaker: {consecutiveFailures: 3, failurePercent: 12.5, minCalls: 8, windowMs: 2000, ejectMs: 5, maxEjectMs: 6}
    health: {intervalMs: 0, timeoutMs: 7, rise: 2, fall: 4}
    balance: {strategy: weighted, weights: {"2": 3}, maxInFlight: 5, queueSize: 6, queueTimeoutMs: 7, slowStartMs: 0}
    retries: {budgetPercent: 0, minPerSecond: 1, attempts: 5}
    port: 3001
    dependsOn: [y, y]
    rollout: {watchMs: 5, sessionsMs: 6}
    tools: {allow: [read_*], deny: [read_all]}
    disabled: " needs a token "
  y: {npm: y}
`);
  t.deepEqual(loaded.ok && loaded.servers.slice(0, 1), [
    {
      name: 'x',
      origin: 'file',
      source: { kind: 'pypi', name: 'some_server', version: '1.0', bin: 'some-server' },
      args: ['--verbose'],
      env: { TZ: 'UTC' },
      sharing: 'principal',
      replicas: 2,
      scaling: { max: 2, warm: 3, targetInFlight: 1, scaleDownAfterMs: 1000 },
      idle: { pauseAfterMs: 1000, stopAfterMs: 2000 },
      maxSessions: 0,
      resources: { memoryBytes: 64 * 1024 ** 2, cpus: 0.5, pids: 64 },
      network: 'internet',
      channel: 'attach',
      runtime: 'runc',
      data: '/data',
      timeouts: { readyMs: 1, callTimeoutMs: 2, maxCallMs: 3, sessionIdleMs: 4, drainMs: 0 },
      breaker: {
        consecutiveFailures: 3,
        failurePercent: 12.5,
        minCalls: 8,
        windowMs: 2000,
        ejectMs: 5,
        maxEjectMs: 6,
      },
      health: { intervalMs: 0, timeoutMs: 7, rise: 2, fall: 4 },
      balance: {
        strategy: 'weighted',
        weights: { 2: 3 },
        maxInFlight: 5,
        queueSize: 6,
        queueTimeoutMs: 7,
        slowStartMs: 0,
      },
      retries: { budgetPercent: 0, minPerSecond: 1, attempts: 5 },
      port: 3001,
      dependsOn: ['y'],
      rollout: { watchMs: 5, sessionsMs: 6 },
      tools: { allow: ['read_*'], deny: ['read_all'] },
      disabled: 'needs a token',
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
