import type { ServerList } from './config/index.ts';
import type { Clock, Facts } from './kernel/index.ts';
import type { Mesh } from './lifecycle/index.ts';
import type { Remembered } from './remembered.ts';
import type { Router } from './routing/index.ts';
import { Aggregates, type Catalogue, Endpoints } from './session/index.ts';

export type EndpointRooms = {
  readonly mesh: Mesh;
  readonly remembered: Remembered;
  readonly router: Router;
  readonly facts: Facts;
  readonly clock: Clock;
  readonly list: ServerList;
};

/** What clients open sessions on: servers, and sets of them. */
export function endpointsOf(rooms: EndpointRooms): { aggregates: Aggregates; endpoints: Endpoints } {
  const { mesh, remembered, router, facts, clock, list } = rooms;
  const catalogue = catalogueOf(mesh, remembered);
  const aggregates = new Aggregates({ router, facts, catalogue, sets: () => list.sets });
  return { aggregates, endpoints: new Endpoints({ router, clock, aggregates }) };
}

/** Of a server that was put to rest: a call wakes it, whichever step of the ladder it is on. */
const ASLEEP = { state: 'paused', reason: null } as const;

/** What is known of servers without asking them: by the mesh now, and by earlier starts. */
function catalogueOf(mesh: Mesh, { learned }: Remembered): Catalogue {
  return {
    names: () => mesh.names,
    state: (server) => (mesh.asleep(server) === null ? mesh.known(server) : ASLEEP),
    offers: (server) => mesh.known(server).offers,
    learned: (server, audience) => learned.get(server, audience, mesh.fingerprint(server)),
    learn: (server, audience, offers) => learned.put(server, audience, mesh.fingerprint(server), offers),
  };
}
