import type { Mesh } from './lifecycle/index.ts';
import type { Remembered } from './remembered.ts';
import type { Catalogue } from './session/index.ts';

/** What is known of servers without asking them: by the mesh now, and by earlier starts. */
export function catalogueOf(mesh: Mesh, { learned }: Remembered): Catalogue {
  return {
    names: () => mesh.names,
    state: (server) => mesh.state(server),
    offers: (server) => mesh.offers(server),
    learned: (server, audience) => learned.get(server, audience, mesh.fingerprint(server)),
    learn: (server, audience, offers) => learned.put(server, audience, mesh.fingerprint(server), offers),
  };
}
