import { GantryError } from '../kernel/index.ts';

export function exists(name: string, why: string): GantryError {
  return new GantryError('server_exists', `Server ${name} ${why}.`, { detail: { server: name } });
}

/** Where a server comes from that cannot be changed over the API; null: there is none. */
export function unchangeable(name: string, origin: 'registered' | 'file' | null): GantryError {
  const detail = { server: name };
  switch (origin) {
    case 'registered': {
      const message = `Server ${name} registered itself: DELETE /api/v1/mesh/v2/deregister/{id} ends that.`;
      return new GantryError('invalid_state', message, { detail });
    }
    case 'file': {
      const message = `Server ${name} is defined in gantry.yaml: edit it there.`;
      return new GantryError('managed_by_file', message, { detail });
    }
    case null:
      return new GantryError('server_not_found', `There is no server named ${name}.`, { detail });
  }
}
