import type { RemotePlace, ServerSpec } from '../kernel/index.ts';
import { resolveSpec, type Secrets } from './resolve.ts';
import { Entry } from './schema.ts';

const NO_SECRETS: Secrets = { env: new Map(), headers: new Map() };

/**
 * A server elsewhere that registered itself, with every default of one that is written down. It serves many clients by
 * nature, so it is shared, and its calls are balanced over its places. How many there may be is for whoever registers
 * them to refuse: what is registered must never fail here, where it would take all other servers with it.
 * @param places at least one
 */
export function registeredSpec(name: string, places: readonly RemotePlace[]): ServerSpec {
  const entry = Entry.parse({ url: places[0]?.url, sharing: 'shared' });
  const spec = resolveSpec(name, entry, { origin: 'registered', baseDir: '/' }, NO_SECRETS);
  const replicas = places.length;
  const scaling = { ...spec.scaling, max: replicas };
  return { ...spec, replicas, scaling, source: { kind: 'url', places, headers: {} } };
}
