import test from 'ava';
import { meshHealth } from '../../orchestrator/http/routes/mesh-topology.ts';
import { GantryError, type NewRegistration, type Tune } from '../../orchestrator/kernel/index.ts';
import type { MeshCall } from '../../orchestrator/session/index.ts';
import { fakeMeshControl, PLACE, REGISTRATION } from '../fakes/mesh-control.ts';
import { startApp } from './ask.ts';

const ADMIN = { authorization: 'Bearer admin-token' };
const V2 = '/api/v1/mesh/v2';

test('the score of the health has the thresholds of the earlier mesh', (t) => {
  t.is(meshHealth(0, 1, 0, true), 'no_services');
  t.is(meshHealth(2, 0.49, 0, true), 'unhealthy');
  t.is(meshHealth(2, 0.5, 0, true), 'degraded');
  t.is(meshHealth(2, 0.79, 0, true), 'degraded');
  t.is(meshHealth(2, 0.8, 0, true), 'healthy');
  t.is(meshHealth(2, 1, 1, true), 'degraded', 'an open breaker');
  t.is(meshHealth(2, 1, 0, false), 'degraded', 'no registry');
});

test('an instance is healthy while it serves or rests; open, failed and restarting ones are not, and say why', async (t) => {
  const failed = { code: 'unreachable' as const, message: 'nobody there', exitCode: null, stderr: [] };
  const cases = [
    [{}, 'healthy'],
    [{ state: 'stopped', idle: true }, 'healthy'],
    [{ state: 'paused' }, 'healthy'],
    [{ breaker: 'open' }, 'unhealthy'],
    [{ state: 'failed', reason: failed }, 'unhealthy'],
    [{ state: 'starting' }, 'unknown'],
    [{ state: 'starting', reason: failed }, 'unhealthy'],
    [{ state: 'draining' }, 'unhealthy'],
  ] as const;
  for (const [change, state] of cases) {
    const mesh = fakeMeshControl({ places: () => [{ ...PLACE, ...change }] });
    const { ask } = await startApp(t, { mesh });
    const { json } = await ask('GET', `${V2}/discover/everything`);
    t.like(json, { service_name: 'everything', total: 1, healthy: state === 'healthy' ? 1 : 0 });
    const reason = 'reason' in change ? 'nobody there' : null;
    t.like(json.instances[0], { id: 'everything-1', address: '127.0.0.1', port: 7400, state, reason });
  }
});

test('only use_cache=false asks the instances anew', async (t) => {
  const probed: string[] = [];
  const mesh = fakeMeshControl({ probe: async (name) => void probed.push(name) });
  const { ask } = await startApp(t, { mesh });
  await ask('GET', `${V2}/discover/everything`);
  await ask('GET', `${V2}/discover/everything?use_cache=true`);
  t.deepEqual(probed, []);
  await ask('GET', `${V2}/discover/everything?use_cache=false`);
  t.deepEqual(probed, ['everything']);
});

test('a registration has the defaults of the earlier mesh, a URL of its own where one is given, and a time', async (t) => {
  const asked: NewRegistration[] = [];
  const mesh = fakeMeshControl({
    register: async (request) => {
      asked.push(request);
      return 'renewed';
    },
  });
  const { ask } = await startApp(t, { mesh });
  const register = (body: object) => ask('POST', `${V2}/register`, { headers: ADMIN, body });
  t.like((await register({ service_id: 'everything' })).json, {
    service_id: 'everything',
    status: 'renewed',
    ttl: 300,
  });
  await register({ service_name: 'everything', address: '10.1.2.3', port: 81, path: '/x', ttl: 5 });
  await register({
    service_name: 'everything',
    metadata: { url: 'https://mcp.test/mcp', zone: 'a' },
    tags: ['t'],
  });
  t.deepEqual(asked, [
    {
      id: 'everything',
      service: 'everything',
      url: 'http://localhost:8080/mcp',
      tags: [],
      metadata: {},
      ttlMs: 300_000,
    },
    {
      id: 'everything-10.1.2.3-81',
      service: 'everything',
      url: 'http://10.1.2.3:81/x',
      tags: [],
      metadata: {},
      ttlMs: 5000,
    },
    {
      id: 'everything-mcp.test-443',
      service: 'everything',
      url: 'https://mcp.test/mcp',
      tags: ['t'],
      metadata: { url: 'https://mcp.test/mcp', zone: 'a' },
      ttlMs: 300_000,
    },
  ]);
});

test('a call is a tool by its path or one JSON-RPC request, with its own time and number of tries', async (t) => {
  const asked: MeshCall[] = [];
  const mesh = fakeMeshControl({
    call: async (request) => {
      asked.push(request);
      return { outcome: { ok: true, result: {}, raw: '{"n": 9007199254740993}' }, replica: 'everything-1' };
    },
  });
  const { ask } = await startApp(t, { mesh });
  const base = { service_name: 'everything' };
  const byPath = await ask('POST', `${V2}/call`, { body: { ...base, path: '/tools/a%2Fb', body: { x: 1 } } });
  t.true(byPath.text.endsWith('"body":{"n": 9007199254740993}}'), byPath.text);
  const rpc = { jsonrpc: '2.0', id: 0, method: 'tools/list' };
  const byRpc = await ask('POST', `${V2}/call`, {
    body: { ...base, body: rpc, timeout: 1.5, retry_count: 0 },
  });
  t.true(byRpc.text.includes('"body":{"jsonrpc":"2.0","id":0,"result":{"n": 9007199254740993}}'));
  t.like(asked[0], {
    method: 'tools/call',
    params: { name: 'a/b', arguments: { x: 1 } },
    timeoutMs: 30_000,
    attempts: 4,
  });
  t.like(asked[1], { method: 'tools/list', params: undefined, timeoutMs: 1500, attempts: 1 });
});

test('an error of the server is 502 for a tool, and the answer to a JSON-RPC request', async (t) => {
  const outcome = { ok: false as const, error: { code: -32602, message: 'wrong' } };
  const { ask } = await startApp(t, {
    mesh: fakeMeshControl({ call: async () => ({ outcome, replica: null }) }),
  });
  const tool = await ask('POST', `${V2}/call`, { body: { service_name: 'everything', path: '/tools/x' } });
  t.deepEqual([tool.status, tool.json.error.code], [502, 'mcp_error']);
  const body = { jsonrpc: '2.0', id: 'a', method: 'ping' };
  const rpc = await ask('POST', `${V2}/call`, { body: { service_name: 'everything', body } });
  t.deepEqual(rpc.json.body, { jsonrpc: '2.0', id: 'a', error: outcome.error });
});

test('the instance of a call is named as it registered', async (t) => {
  const places = (service: string) =>
    service === REGISTRATION.service
      ? [{ ...PLACE, replica: 'weather-1', registeredAs: REGISTRATION.id }]
      : [];
  const call = async () => ({ outcome: { ok: true as const, result: {}, raw: '{}' }, replica: 'weather-1' });
  const { ask } = await startApp(t, { mesh: fakeMeshControl({ places, call }) });
  const { json } = await ask('POST', `${V2}/call`, { body: { service_name: 'weather', path: '/tools/x' } });
  t.is(json.instance_id, REGISTRATION.id);
});

test('settings are told in our words and units, for one server or all', async (t) => {
  const told: [Tune, string | null][] = [];
  const mesh = fakeMeshControl({
    tune: async (tune, server) => {
      told.push([tune, server]);
      return [];
    },
  });
  const { ask } = await startApp(t, { mesh });
  for (const path of [
    'load-balancer?strategy=ip_hash',
    'circuit-breaker?recovery_timeout=2&service_name=everything',
  ])
    t.is((await ask('POST', `${V2}/configure/${path}`, { headers: ADMIN })).status, 200);
  t.deepEqual(told, [
    [{ strategy: 'consistent_hash' }, null],
    [{ ejectMs: 2000 }, 'everything'],
  ]);
});

test('while the registry is away a registration is refused with 503', async (t) => {
  const away = () => Promise.reject(new GantryError('registry_unavailable', 'away'));
  const { ask } = await startApp(t, { mesh: fakeMeshControl({ register: away }) });
  const body = { service_name: 'everything' };
  t.is((await ask('POST', `${V2}/register`, { headers: ADMIN, body })).status, 503);
});
