import type { ServerList } from './config/index.ts';
import type { MeshControl } from './http/index.ts';
import { GantryError, type ServerSpec } from './kernel/index.ts';
import type { Mesh } from './lifecycle/index.ts';
import type { RunTime } from './run-time.ts';
import type { MeshCalls } from './session/index.ts';

export type MeshControlRooms = {
  readonly runTime: RunTime;
  readonly mesh: Mesh;
  readonly list: ServerList;
  readonly calls: MeshCalls;
};

/** The functions that the mesh routes call, put together from the rooms that have them. */
export function meshControl({ runTime, mesh, list, calls }: MeshControlRooms): MeshControl {
  const { registrations, tuning } = runTime;
  /** As configured, since what was set before must not count as the configuration. */
  const configured = (server: string | null): readonly ServerSpec[] => {
    if (server !== null) mesh.get(server);
    const names = new Set(server === null ? mesh.list().map(({ name }) => name) : [server]);
    return [...list.specs, ...runTime.servers].filter(({ name }) => names.has(name));
  };
  return {
    async register(request) {
      if (list.specs.some(({ name }) => name === request.service)) throw taken(request.service);
      await runTime.reach(new URL(request.url));
      const outcome = await registrations.register(request);
      mesh.retry(request.service);
      return outcome;
    },
    renew: (id) => registrations.renew(id),
    deregister: (id) => registrations.deregister(id),
    registrations: () => registrations.all,
    places: (server) => mesh.places(server),
    probe: (server) => mesh.probe(server),
    call: (request) => calls.call(request),
    async tune(tune, server) {
      const specs = configured(server);
      await tuning.set(tune, specs, server === null);
      await list.again();
      return specs.map(({ name }) => name);
    },
    async untune(server) {
      const specs = configured(server);
      await tuning.reset(server);
      await list.again();
      return specs.map(({ name }) => name);
    },
  };
}

function taken(name: string): GantryError {
  const message = `Server ${name} is defined in gantry.yaml or was made over the API; choose another service_name.`;
  return new GantryError('server_exists', message, { detail: { server: name } });
}
