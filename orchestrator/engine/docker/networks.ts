import type { DockerConnection } from './connection.ts';
import { QUICK_MS, SLOW_MS } from './connection.ts';
import { unlessStatus } from './errors.ts';
import { ownerLabels } from './owner.ts';

/** Where builds fetch packages. The bridge names are what the engine's firewall rules go by. */
export const INSTALL_NETWORK = 'gantry-install';
/** Where servers with `network: internet` live. */
export const INTERNET_NETWORK = 'gantry-internet';

const BRIDGES: readonly (readonly [name: string, bridge: string])[] = [
  [INSTALL_NETWORK, 'gnt-install'],
  [INTERNET_NETWORK, 'gnt-internet'],
];

/** Makes both networks where they are missing. Containers on one of them cannot reach each other. */
export async function ensureNetworks(connection: DockerConnection, owner: string): Promise<void> {
  for (const [name, bridge] of BRIDGES) {
    const listed = await connection.request('network', QUICK_MS, (docker, abortSignal) =>
      docker.listNetworks({ filters: { name: [name] }, abortSignal }),
    );
    // The filter matches parts of names too.
    const found = listed.find((network) => network.Name === name);
    if (found !== undefined) continue;
    const create = connection.request('network', SLOW_MS, (docker, abortSignal) =>
      docker.createNetwork({
        Name: name,
        Driver: 'bridge',
        CheckDuplicate: true,
        Options: {
          'com.docker.network.bridge.name': bridge,
          'com.docker.network.bridge.enable_icc': 'false',
        },
        Labels: { ...ownerLabels(owner), 'gantry.network': name },
        abortSignal,
      }),
    );
    // 409: somebody else was quicker.
    await unlessStatus(create, 409);
  }
}
