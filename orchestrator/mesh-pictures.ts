import type { Infrastructure } from './infrastructure.ts';
import type { Mesh } from './lifecycle/index.ts';
import type { Pictures } from './registry/index.ts';
import type { Sessions } from './session/index.ts';

/**
 * What the registry is told of the mesh, and what it tells the next one.
 * @param closing a mesh that ends by itself has no places any more, and that is nothing to remember
 */
export function picturesOf(
  mesh: Mesh,
  sessions: Sessions,
  infrastructure: Infrastructure,
  closing: AbortSignal,
): Pictures {
  return {
    replicas: () =>
      new Map(
        mesh
          .list()
          .flatMap(({ name: server }) =>
            mesh
              .replicas(server)
              .map(({ id, containerId, state, breaker, heldBy }) => [
                id,
                { server, containerId, state, breaker, heldBy },
              ]),
          ),
      ),
    sessions: () => new Map(sessions.pins.map(({ key, ...pin }) => [key, pin])),
    services: () =>
      new Map(infrastructure.known.map(({ name, state, metadata }) => [name, { state, ...metadata }])),
    tools: () =>
      new Map(
        mesh.list().flatMap(({ name }) => {
          const { offers } = mesh.known(name);
          return offers === null ? [] : [[name, { made: mesh.fingerprint(name), ...offers }]];
        }),
      ),
    breakers: () => {
      const servers = closing.aborted ? [] : mesh.list();
      return new Map(
        servers.map(({ name }) => [name, { made: mesh.fingerprint(name), ...mesh.history(name) }]),
      );
    },
  };
}
