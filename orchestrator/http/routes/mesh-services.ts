import type { HttpOptions } from '../options.ts';
import { type InstanceView, instanceOf, type ServiceView, serviceOf } from './mesh-view.ts';

/** What the mesh routes say of servers. Looking starts nothing: only what is known already is shown. */
export class MeshServices {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  get all(): readonly ServiceView<string>[] {
    const { servers, tools } = this.#options;
    // A server that is not run is no service.
    const run = servers.list().filter(({ state }) => state !== 'disabled');
    return run.map((server) => {
      const names = tools.known(server.name).map(({ name }) => name);
      return serviceOf(server, servers.replicas(server.name), names);
    });
  }

  /** @throws GantryError server_not_found */
  instances(name: string): readonly InstanceView[] {
    const { servers, mesh } = this.#options;
    const server = servers.get(name);
    const registrations = mesh.registrations();
    return mesh.places(name).map((place) =>
      instanceOf(
        server,
        place,
        registrations.find(({ id }) => id === place.registeredAs),
      ),
    );
  }

  /** Whether somebody answers under that name. */
  has(name: string): boolean {
    return this.#options.servers.list().some((server) => server.name === name);
  }
}

export function healthyOf(instances: readonly Pick<InstanceView, 'state'>[]): number {
  return instances.filter(({ state }) => state === 'healthy').length;
}
