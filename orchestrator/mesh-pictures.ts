import { createHash } from 'node:crypto';
import type { Infrastructure } from './infrastructure.ts';
import type { Mesh } from './lifecycle/index.ts';
import type { Pictures } from './registry/index.ts';
import type { Sessions } from './session/index.ts';

/** What the registry is told of the mesh, and what it tells the next one. */
export function picturesOf(mesh: Mesh, sessions: Sessions, infrastructure: Infrastructure): Pictures {
  return {
    replicas: () =>
      new Map(
        mesh
          .list()
          .flatMap(({ name: server }) =>
            mesh
              .replicas(server)
              .map(({ id, containerId, state, heldBy }) => [id, { server, containerId, state, heldBy }]),
          ),
      ),
    sessions: () => new Map(sessions.pins.map(({ id, ...pin }) => [sessionKey(id), pin])),
    services: () =>
      new Map(infrastructure.known.map(({ name, state, metadata }) => [name, { state, ...metadata }])),
    tools: () =>
      new Map(
        mesh.list().flatMap(({ name }) => {
          const offers = mesh.offers(name);
          return offers === null ? [] : [[name, { made: mesh.fingerprint(name), ...offers }]];
        }),
      ),
  };
}

/** Who knows the id of a session is its client: the registry has to recognise it, not to know it. */
export function sessionKey(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
