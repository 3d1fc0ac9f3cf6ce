import test from 'ava';
import { meshState, serviceState, toolsOrNone } from '../../orchestrator/http/routes/mesh-view.ts';
import { GantryError, type ReplicaView, type ServerState } from '../../orchestrator/kernel/index.ts';
import { CONTAINER_ID, fakeControls } from '../fakes/controls.ts';
import { startApp } from './ask.ts';

function pool(...states: ServerState[]): ReplicaView[] {
  return states.map((state, at) => ({
    id: `x-${at}`,
    containerId: 'c',
    state,
    callsInFlight: 0,
    heldBy: 'pool',
  }));
}

test('the state of a service follows its standing replicas', (t) => {
  t.is(serviceState(2, pool('ready', 'paused')), 'healthy');
  t.is(serviceState(2, pool('ready', 'failed')), 'degraded');
  t.is(serviceState(2, pool('ready', 'starting')), 'degraded');
  t.is(serviceState(2, pool('ready')), 'degraded');
  t.is(serviceState(1, pool('starting')), 'unknown');
  t.is(serviceState(2, pool('pending', 'failed')), 'unknown');
  t.is(serviceState(1, pool('failed')), 'unhealthy');
  t.is(serviceState(1, pool('stopped')), 'unhealthy');
  t.is(serviceState(1, []), 'unhealthy');
});

test('a replica held by a session does not make a service healthy', (t) => {
  t.is(
    serviceState(
      1,
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
  t.is(meshState(['unhealthy', 'unhealthy']), 'error');
});

test('the status has its counts and the services their names of tools', async (t) => {
  const { ask } = await startApp(t, { pendingTasks: async () => 3 });
  const { status, json } = await ask('GET', '/api/v1/mesh/status');
  t.is(status, 200);
  t.like(json, {
    status: 'operational',
    services_count: 1,
    queue_stats: { pending_tasks: 3, total_services: 1, healthy_services: 1 },
  });
  t.deepEqual(json.services[0], {
    id: 'everything',
    name: 'everything',
    address: '127.0.0.1',
    port: 7400,
    tags: ['mcp'],
    metadata: { url: 'http://127.0.0.1:7400/mcp/everything' },
    state: 'healthy',
    replicas: [{ id: 'everything-1', container_id: CONTAINER_ID, state: 'ready', calls_in_flight: 0 }],
    capabilities: { tools: {} },
    tools: ['echo', 'add'],
  });
  t.is(new Date(json.timestamp).toISOString(), json.timestamp);
});

test('a mesh in which nothing works answers 503 with its status', async (t) => {
  const controls = fakeControls();
  const { ask } = await startApp(t, { servers: { ...controls.servers, replicas: () => pool('failed') } });
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

test('a server that cannot or will not tell its tools has none in the picture', async (t) => {
  t.deepEqual(await toolsOrNone(Promise.reject(new GantryError('no_replica', 'None.'))), []);
  t.deepEqual(await toolsOrNone(new Promise(() => {}), 5), []);
  await t.throwsAsync(toolsOrNone(Promise.reject(new Error('a mistake'))), { message: 'a mistake' });
});
