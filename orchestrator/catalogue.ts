import type { Mesh } from './lifecycle/index.ts';
import type { Remembered } from './remembered.ts';
import type { Catalogue } from './session/index.ts';

/** Of a server that was put to rest: a call wakes it, whichever step of the ladder it is on. */
const ASLEEP = { state: 'paused', reason: null } as const;

/** What is known of servers without asking them: by the mesh now, and by earlier starts. */
export function catalogueOf(mesh: Mesh, { learned }: Remembered): Catalogue {
  return {
    names: () => mesh.names,
    state: (server) => (mesh.asleep(server) === null ? mesh.state(server) : ASLEEP),
    offers: (server) => mesh.offers(server),
    learned: (server, audience) => learned.get(server, audience, mesh.fingerprint(server)),
    learn: (server, audience, offers) => learned.put(server, audience, mesh.fingerprint(server), offers),
  };
}
