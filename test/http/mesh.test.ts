import test from 'ava';
import { meshState, serviceState } from '../../orchestrator/http/routes/mesh-view.ts';
import type { ReplicaView, ServerState, ServerView } from '../../orchestrator/kernel/index.ts';
import { CONTAINER_ID, fakeControls, SERVER } from '../fakes/controls.ts';
import { startApp } from './ask.ts';

function pool(...states: ServerState[]): ReplicaView[] {
  return states.map((state, at) => ({
    id: `x-${at}`,
    containerId: 'c',
    state,
    callsInFlight: 0,
    breaker: 'closed',
    heldBy: 'pool',
    spare: false,
    idle: false,
  }));
}

function server(state: ServerState, desired = 1): ServerView {
  return { ...SERVER, state, replicas: { ...SERVER.replicas, desired, ready: 0, total: 0 } };
}

test('the state of a service follows its standing replicas', (t) => {
  t.is(serviceState(server('ready', 2), pool('ready', 'paused')), 'healthy');
  t.is(serviceState(server('ready', 2), pool('ready', 'failed')), 'degraded');
  t.is(serviceState(server('ready', 2), pool('ready', 'starting')), 'degraded');
  t.is(serviceState(server('ready', 2), pool('ready')), 'degraded');
  t.is(serviceState(server('starting'), pool('starting')), 'unknown');
  t.is(serviceState(server('starting', 2), pool('pending', 'failed')), 'unknown');
  t.is(serviceState(server('failed'), pool('failed')), 'unhealthy');
  t.is(serviceState(server('stopped'), pool('stopped')), 'unhealthy');
});

test('a service that is being installed has no container yet and is unknown, not unhealthy', (t) => {
  t.is(serviceState(server('pending'), []), 'unknown');
  t.is(serviceState(server('starting'), []), 'unknown');
  t.is(serviceState(server('failed'), []), 'unhealthy');
  t.is(serviceState(server('stopped', 0), []), 'unhealthy');
});

test('a replica that rests because nobody uses it is as good as a paused one, a spare counts for nothing', (t) => {
  const [stopped] = pool('stopped');
  const [ready] = pool('ready');
  if (stopped === undefined || ready === undefined) return t.fail();
  t.is(serviceState(server('stopped'), [{ ...stopped, idle: true }]), 'healthy');
  t.is(serviceState(server('failed'), [{ ...ready, spare: true }]), 'unhealthy');
});

test('a replica held by a session does not make a service healthy', (t) => {
  t.is(
    serviceState(
      server('failed'),
      pool('ready').map((replica) => ({ ...replica, heldBy: 'session' as const })),
    ),
    'unhealthy',
  );
});

test('the mesh is operational with all, degraded with some, in error with none', (t) => {
  t.is(meshState([]), 'operational');
  t.is(meshState(['healthy', 'healthy']), 'operational');
  t.is(meshState(['healthy', 'unhealthy']), 'degraded');
  t.is(meshState(['unknown', 'unknown']), 'degraded');
  t.is(meshState(['unknown', 'unhealthy']), 'degraded');
  t.is(meshState(['unhealthy', 'unhealthy']), 'error');
});

test('the status has its counts and the services their names of tools', async (t) => {
  const { ask } = await startApp(t, { pendingTasks: async () => 3 });
  const { status, json } = await ask('GET', '/api/v1/mesh/status');
  t.is(status, 200);
  t.like(json, {
    status: 'operational',
    services_count: 4,
    queue_stats: { pending_tasks: 3, total_services: 4, healthy_services: 4 },
  });
  t.deepEqual(json.services[0], {
    id: 'everything',
    name: 'everything',
    address: '127.0.0.1',
    port: 7400,
    tags: ['mcp'],
    metadata: { url: 'http://127.0.0.1:7400/mcp/everything' },
    state: 'healthy',
    replicas: [
      {
        id: 'everything-1',
        container_id: CONTAINER_ID,
        state: 'ready',
        calls_in_flight: 0,
        breaker: 'closed',
      },
    ],
    capabilities: { tools: {} },
    tools: ['echo', 'add'],
  });
  t.is(new Date(json.timestamp).toISOString(), json.timestamp);
  const base = json.services.slice(1).map(({ name, tags, state }: never) => ({ name, tags, state }));
  t.deepEqual(
    base,
    ['engine', 'redis', 'orchestrator'].map((name) => ({ name, tags: ['infrastructure'], state: 'healthy' })),
  );
});

test('a mesh in which nothing works answers 503 with its status', async (t) => {
  const controls = fakeControls();
  const { ask } = await startApp(t, {
    servers: { ...controls.servers, list: () => [server('failed')], replicas: () => pool('failed') },
  });
  const { status, json } = await ask('GET', '/api/v1/mesh/status');
  t.deepEqual([status, json.status, json.services[0].state], [503, 'error', 'unhealthy']);
});

test('services come as a list with a count, and one comes bare with its tools in full', async (t) => {
  const { ask } = await startApp(t);
  t.like((await ask('GET', '/api/v1/mesh/services')).json, { count: 1, services: { length: 1 } });
  const one = (await ask('GET', '/api/v1/mesh/services/everything')).json;
  t.deepEqual(one.tools, [{ name: 'echo', inputSchema: { type: 'object' } }, { name: 'add' }]);
  t.is((await ask('GET', '/api/v1/mesh/services/nobody')).json.error.code, 'server_not_found');
});

test('looking at the mesh asks no server anything', async (t) => {
  const controls = fakeControls();
  const asked: string[] = [];
  const { ask } = await startApp(t, {
    tools: {
      ...controls.tools,
      list: async (name) => {
        asked.push(name);
        return [];
      },
    },
  });
  for (const path of ['status', 'services', 'services/everything']) await ask('GET', `/api/v1/mesh/${path}`);
  t.deepEqual(asked, []);
});
