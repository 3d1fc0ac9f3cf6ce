import test from 'ava';
import { loadConfig } from '../../orchestrator/config/index.ts';
import { SERVER_DEFAULTS } from '../fakes/server-defaults.ts';

function load(text: string) {
  return loadConfig(text, { baseDir: '/etc/gantry' });
}

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
      {
        name: 'x',
        ...SERVER_DEFAULTS,
        source: { kind: 'npm', name: '@scope/x', version: '1.2.3', bin: null },
      },
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
