import { GantryError, type NewRegistration } from '../../kernel/index.ts';
import type { RegistrationView } from '../mesh-control.ts';
import { defineRoute, json, type Route } from '../openapi/define-route.ts';
import {
  Deregistered,
  DiscoverQuery,
  Discovery,
  Registered,
  RegisterRequest,
  Renewed,
  ServiceInstances,
} from '../openapi/mesh-v2-schemas.ts';
import type { HttpOptions } from '../options.ts';
import { healthyOf, MeshServices } from './mesh-services.ts';

const BASE = '/api/v1/mesh/v2';
const ID = { id: 'The service_id of a registration' };

/** Servers elsewhere register themselves, and everybody finds whom there is. */
export function registerRoutes(options: HttpOptions): Route[] {
  const { mesh } = options;
  const services = new MeshServices(options);
  return [
    defineRoute({
      method: 'POST',
      path: `${BASE}/register`,
      operationId: 'registerService',
      summary: 'Register a remote MCP server, or renew its registration',
      tag: 'mesh',
      scope: 'admin',
      body: { schema: RegisterRequest },
      invalid: 'unprocessable',
      answers: { 200: { description: 'It is in the mesh', content: { 'application/json': Registered } } },
      errors: ['address_not_allowed', 'server_exists', 'queue_full', 'registry_unavailable'],
      handle: async ({ body }) => {
        const request = registrationOf(body);
        const status = await mesh.register(request);
        const { id, service } = request;
        const instance = services.instances(service).find((one) => one.id === id) ?? null;
        const registration = mesh.registrations().find((one) => one.id === id);
        return json({
          ...told(status, { ...request, expiresAt: registration?.expiresAt ?? 0 }),
          service: { id, status: instance?.state ?? 'unknown', instance },
        });
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${BASE}/services/{id}/heartbeat`,
      operationId: 'renewService',
      summary: 'A registered server lives: its time begins anew',
      tag: 'mesh',
      scope: 'admin',
      params: ID,
      answers: { 200: { description: 'Renewed', content: { 'application/json': Renewed } } },
      errors: ['registration_not_found', 'registry_unavailable'],
      handle: async ({ params }) => json(told('renewed', await mesh.renew(params.id ?? ''))),
    }),
    defineRoute({
      method: 'DELETE',
      path: `${BASE}/deregister/{id}`,
      operationId: 'deregisterService',
      summary: 'End a registration; what is in flight finishes',
      tag: 'mesh',
      scope: 'admin',
      params: ID,
      answers: { 200: { description: 'Gone', content: { 'application/json': Deregistered } } },
      errors: ['registration_not_found', 'registry_unavailable'],
      handle: async ({ params }) => {
        const { id, service } = await mesh.deregister(params.id ?? '');
        return json({
          service_id: id,
          status: 'deregistered',
          message: `${id} is no instance of ${service} any more.`,
        });
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${BASE}/services`,
      operationId: 'listServiceInstances',
      summary: 'All services with their instances',
      tag: 'mesh',
      scope: 'call',
      answers: { 200: { description: 'All services', content: { 'application/json': ServiceInstances } } },
      errors: [],
      handle: async () => {
        const all = services.all.map((service) => ({
          ...service,
          instances: services.instances(service.name),
        }));
        return json({ services: all, count: all.length });
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${BASE}/discover/{name}`,
      operationId: 'discoverService',
      summary: 'The instances of one service',
      tag: 'mesh',
      scope: 'call',
      params: { name: 'Name of a service' },
      query: DiscoverQuery,
      invalid: 'unprocessable',
      answers: { 200: { description: 'Its instances', content: { 'application/json': Discovery } } },
      errors: ['server_not_found'],
      handle: async ({ params, query }) => {
        const { name = '' } = params;
        if (query.use_cache === 'false') await mesh.probe(name);
        const instances = services.instances(name);
        return json({
          service_name: name,
          instances,
          total: instances.length,
          healthy: healthyOf(instances),
        });
      },
    }),
  ];
}

/** @throws GantryError unprocessable */
function registrationOf(body: RegisterRequest): NewRegistration {
  const { address, port, path, tags, metadata, ttl } = body;
  const url = urlOf(
    metadata.url ?? `http://${address.includes(':') ? `[${address}]` : address}:${port}${path}`,
  );
  const service = body.service_name ?? body.service_id ?? '';
  const id = body.service_id ?? `${service}-${url.hostname.replace(/[[\]]/g, '')}-${portOf(url)}`;
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(service)) {
    throw unprocessable(
      'body.service_id',
      'cannot be the name of a service: give a service_name of a-z, 0-9 and -',
    );
  }
  return { id, service, url: url.href, tags, metadata, ttlMs: ttl * 1000 };
}

/** @throws GantryError unprocessable */
function urlOf(given: unknown): URL {
  const where = 'body.metadata.url';
  if (typeof given !== 'string' || !URL.canParse(given))
    throw unprocessable(
      where,
      'address, port and path, or metadata.url, must make an address such as http://10.1.2.3:8080/mcp',
    );
  const url = new URL(given);
  const isPlain = url.username === '' && url.password === '' && url.hash === '';
  if (!/^https?:$/.test(url.protocol) || !isPlain)
    throw unprocessable(where, 'must be http:// or https://, without a user, a password or a fragment');
  return url;
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80');
}

function told(status: 'registered' | 'renewed', registration: RegistrationView) {
  const { id, service, ttlMs, expiresAt } = registration;
  const ttl = ttlMs / 1000;
  return {
    service_id: id,
    status,
    message: `${id} is an instance of ${service} for ${ttl} s from now, and again each time that it is heard from.`,
    ttl,
    expires_at: new Date(expiresAt).toISOString(),
  };
}

export function unprocessable(path: string, message: string): GantryError {
  return new GantryError('unprocessable', `${path}: ${message}`, {
    detail: { problems: [{ path, message }] },
  });
}
