import type { ExecutionContext } from 'ava';
import { RemoteServer, type RemoteServerOptions } from '../fakes/remote-server.ts';
import { api, compose, expectStatus, type Json } from './harness.ts';
import { uniqueName } from './own-server.ts';
import { until } from './until.ts';

export type Instance = {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly state: string;
  readonly reason: string | null;
  readonly connections: number;
  readonly circuit_breaker: string | null;
};
export type Discovery = {
  readonly instances: readonly Instance[];
  readonly total: number;
  readonly healthy: number;
};
export type Topology = {
  readonly services: Readonly<
    Record<string, { instances: readonly Instance[]; total: number; healthy: number }>
  >;
  readonly total_instances: number;
  readonly healthy_instances: number;
  readonly circuit_breakers: Readonly<Record<string, string>>;
};

/** A path of the mesh API. */
export function mesh(method: string, path: string, body?: unknown) {
  return api(method, `/api/v1/mesh/${path}`, body === undefined ? {} : { body });
}

export function meshJson<T = Json>(status: number, method: string, path: string, body?: unknown): Promise<T> {
  return expectStatus<T>(status, mesh(method, path, body));
}

/** This host, as the orchestrator's container reaches it. */
export async function hostAddress(): Promise<string> {
  const index = await compose('exec', '-T', 'orchestrator', 'printenv', 'GANTRY_PYPI_INDEX');
  return new URL(index.trim()).hostname;
}

/** A remote server on this host, reached from inside the stack; ended with the test. */
export async function startRemote(
  t: ExecutionContext,
  options: RemoteServerOptions = {},
): Promise<RemoteServer> {
  const remote = await RemoteServer.start({ host: '0.0.0.0', ...options });
  t.teardown(() => remote.close());
  return remote;
}

/** Registers it; ended with the test, as far as that has not happened yet. @returns the id of the registration */
export async function register(
  t: ExecutionContext,
  service: string,
  remote: RemoteServer,
  more: Json = {},
): Promise<string> {
  const where = { service_name: service, address: await hostAddress(), port: remote.port, ...more };
  const { service_id } = await meshJson<{ service_id: string }>(200, 'POST', 'v2/register', where);
  t.teardown(() => mesh('DELETE', `v2/deregister/${service_id}`));
  return service_id;
}

/** As many remote servers as there are names, registered as one service whose instances are all healthy. */
export async function remotePool(
  t: ExecutionContext,
  names: readonly string[],
  options: RemoteServerOptions = {},
) {
  const service = uniqueName('remote');
  const remotes = await Promise.all(names.map((name) => startRemote(t, { ...options, name })));
  for (const remote of remotes) await register(t, service, remote);
  await untilHealthy(service, names.length);
  return { service, remotes };
}

export function discover(service: string, query = ''): Promise<Discovery> {
  return meshJson<Discovery>(200, 'GET', `v2/discover/${service}${query}`);
}

export function untilHealthy(service: string, count: number): Promise<Discovery> {
  return until(`${service} has ${count} healthy instances`, async () => {
    const found = await discover(service);
    if (found.healthy === count && found.total === count) return found;
    throw new Error(JSON.stringify(found));
  });
}

export type CallAnswer = {
  readonly status_code: number;
  readonly headers: Json;
  readonly body: Json;
  readonly instance_id: string;
  readonly trace_id: string;
  readonly duration: number;
};

export function callBody(service: string, tool: string, args: Json = {}, more: Json = {}): Json {
  return { service_name: service, method: 'POST', path: `/tools/${tool}`, body: args, ...more };
}

/** Calls a tool through the mesh API. */
export function meshCall(
  service: string,
  tool: string,
  args: Json = {},
  more: Json = {},
): Promise<CallAnswer> {
  return meshJson<CallAnswer>(200, 'POST', 'v2/call', callBody(service, tool, args, more));
}
